# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What a SavedModel reads: its file. Scores: tests/eval/predictions/members_test.py."""

import pytest

from tests.helpers import descriptors
from yt8m.artifacts import manifest
from yt8m.artifacts import saved_model
from yt8m.artifacts.saved_model import Served


def a_description(level):
  return Served(descriptors.SPECS[level], descriptors.MAX_FRAMES, 3)


def test_the_description_goes_with_the_model(tmp_path):
  assets = tmp_path / "assets"
  assets.mkdir()
  for level in descriptors.SPECS:
    assert a_description(level).save(str(assets)) == str(assets / "feature_spec.json")
    assert Served.load(str(tmp_path)) == a_description(level)
  for text in ("{", "[]", '{"names": ["rgb"]}'):
    (assets / "feature_spec.json").write_text(text)
    with pytest.raises(ValueError, match="feature_spec.json is not a file that yt8m-exp"):
      Served.load(str(tmp_path))
  with pytest.raises(FileNotFoundError, match="no SavedModel that yt8m-export wrote"):
    Served.load(str(assets))


def test_a_damaged_model_is_not_loaded(tmp_path):
  (tmp_path / "saved_model.pb").write_bytes(b"graph")
  manifest.write(str(tmp_path))
  (tmp_path / "saved_model.pb").write_bytes(b"grapg")
  with pytest.raises(ValueError, match=r"\(saved_model.pb\) changed since manifest.json"):
    saved_model.load_predictor(str(tmp_path))
