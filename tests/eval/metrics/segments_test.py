# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""mAP of segment submissions equals that of the starter code, without its faults."""

import numpy as np
import pytest

from tests.helpers.support import load_golden
from tests.helpers.support import needs_goldens
from yt8m.eval.metrics import segment_labels
from yt8m.eval.metrics import segments
from yt8m.export.submissions import segments as segment_submission

HAND_EDITED = "segeval/submission_classes_with_positives_no_header_dummy_last"


@needs_goldens
@pytest.mark.parametrize("top_n", [0, 3, 10, 100_000])
@pytest.mark.parametrize("key", [HAND_EDITED, "csv/out_seg"])
def test_equal_to_the_starter_codes(tmp_path, key, top_n):
  # Its evaluation needs the edited CSV: without the header, a dummy segment last in
  # each line, no class without positives. Ours takes the CSV as it was written.
  golden, meta = load_golden("e2e")
  (tmp_path / "labels").write_bytes(golden["segeval/label_cache"].tobytes())
  (tmp_path / "csv").write_bytes(golden[key].tobytes())

  result = segments.evaluate(
      segment_submission.read_segment_submission(tmp_path / "csv"),
      segment_labels.read_cache(tmp_path / "labels"), top_n)

  np.testing.assert_allclose(
      list(result.aps.values()), golden[f"segeval/top_n{top_n}/aps"], atol=1e-9)
  assert result.map == pytest.approx(float(golden[f"segeval/top_n{top_n}/map"]), abs=1e-9)
  assert list(result.aps) == sorted(result.aps)
  assert len(result.aps) + len(result.missing_classes) == meta["num_positive_classes"]
  assert result.num_rated == meta["num_rated"]


RATED = {7: {"a:0": 1., "b:0": 0., "c:5": 1.}, 3: {"a:0": 0.}, 9: {"a:0": 1.}}


def test_by_hand():
  result = segments.evaluate(
      [(7, ["x:0", "b:0", "y:0", "a:0"]), (3, ["a:0"]), (8, ["a:0"])], RATED)
  # Of the rated segments, b:0 (negative) is first, a:0 second; c:5 is not submitted.
  assert result.aps == {7: pytest.approx(1 / 2 * 1 / 2)}
  assert result.map == pytest.approx(1 / 4)
  assert result.num_without_positives == 2
  assert result.missing_classes == [9]
  assert (result.num_found, result.num_rated) == (3, 5)


def test_top_n_counts_segments_that_are_not_rated():
  submission = [(7, ["x:0", "a:0", "c:5"])]
  assert [segments.evaluate(submission, RATED, top_n).map
          for top_n in (1, 2, 3, 0)] == [0, 1 / 2, 1, 1]


def test_a_perfect_submission_has_map_1():
  perfect = [(9, ["a:0"]), (7, ["c:5", "a:0", "b:0"])]
  assert segments.evaluate(perfect, RATED).map == 1


def test_bad_submissions_are_named():
  with pytest.raises(ValueError, match="Class 7 is in the submission twice"):
    segments.evaluate([(7, ["a:0"]), (7, ["b:0"])], RATED)
  with pytest.raises(ValueError, match="Class 3 is in the submission twice"):
    segments.evaluate([(3, ["a:0"]), (3, ["a:0"])], RATED)
  with pytest.raises(ValueError, match="Class 7 has a segment twice .*: a:0"):
    segments.evaluate([(7, ["b:0", "a:0", "a:0"])], RATED)
  with pytest.raises(ValueError, match="None of the 2 classes .* belong together"):
    segments.evaluate([(3, ["a:0"]), (4, ["a:0"])], RATED)
  with pytest.raises(ValueError, match="--top_n=-1 must be at least 1, or 0"):
    segments.evaluate([(7, ["a:0"])], RATED, top_n=-1)
