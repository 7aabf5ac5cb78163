# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of held-out videos: all folds count, and a pattern without records is named."""

import pytest

from tests.helpers import small_job
from yt8m.export.prediction import checkpoint
from yt8m.export.prediction import held_out


def test_records_that_hold_nothing_are_named(tmp_path):
  model = checkpoint.Checkpoint.of_directory(small_job.write_model(tmp_path / "model"))
  empty, three = small_job.write_record_files(tmp_path / "records", [0, 3])
  with pytest.raises(ValueError, match=f"No records are in {empty}: name others."):
    held_out.score([(model, empty)], "--fold", 2, 10)
  found = held_out.score([(model, empty), (model, three)], "--fold", 2, 10)
  assert found.complete and found.folds.tolist() == [1, 1, 1]
  assert found.scores.shape == found.labels.shape == (3, small_job.NUM_CLASSES)
