# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What several tests share: where real data and goldens lie, and golden loading."""

import json
import os
import pathlib

import numpy as np
import pytest

_SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared"
DATA = pathlib.Path(os.environ.get("YT8M_DATA", _SHARED / "data"))
GOLDENS = pathlib.Path(os.environ.get("YT8M_GOLDENS", _SHARED / "goldens"))

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"no real records at {DATA}: set YT8M_DATA")
needs_goldens = pytest.mark.skipif(
    not GOLDENS.is_dir(), reason=f"no reference values at {GOLDENS}: set YT8M_GOLDENS")


def load_golden(name):
  """Returns the arrays of a golden file as a dict, and its `meta` as another."""
  with np.load(GOLDENS / f"{name}.npz") as archive:
    arrays = {key: archive[key] for key in archive.files}
  return arrays, json.loads(str(arrays.pop("meta")))


def with_prefix(arrays, prefix):
  """Returns the entries below `prefix`, their keys without it."""
  return {key[len(prefix):]: value for key, value in arrays.items()
          if key.startswith(prefix)}
