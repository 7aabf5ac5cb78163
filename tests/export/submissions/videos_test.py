# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The CSV of the video task equals that of the starter code, and is never incomplete."""

import functools
import os

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.helpers import e2e
from tests.helpers import support
from tests.helpers.full_disk import full_disk
from yt8m.export.prediction import jobs
from yt8m.export.submissions import videos

PREDICTIONS = np.array([[.1, .5, .3], [.25, .25, 1e-7]], np.float32)


_tops = functools.cache(jobs.TopClasses)


def best(predictions, top_k):
  return _tops(np.shape(predictions)[1], top_k)(predictions)


@support.needs_goldens
@pytest.mark.parametrize("key, top_k", [
    ("lines_top1", 1), ("lines_top5", 5), ("lines_top20", 20), ("lines_top40", 40),
    ("lines_top20_masked", 20)])
def test_lines_equal_the_starter_codes_byte_for_byte(key, top_k):
  golden, _ = support.load_golden("csv_format_lines")
  mask = golden["whitelist_mask"] if key.endswith("masked") else 1
  lines = videos.format_lines(
      golden["video_ids"], *best(golden["predictions"] * mask, top_k))

  tied = 4  # zeros, in the order of argpartition; see the golden's meta
  assert lines[tied].startswith("tie0,30 0.75")
  assert (np.delete(lines, tied) == np.delete(golden[key], tied)).all()


@support.needs_goldens
def test_a_whole_submission_equals_the_starter_codes(tmp_path):
  with videos.SubmissionWriter(tmp_path / "ours.csv") as writer:
    for video_id, frames in e2e.records("frame"):
      writer.write([video_id], *best(e2e.frame_level_logistic(frames)[None], 20))
  (tmp_path / "golden.csv").write_text(e2e.golden_text("csv/out_video"))
  ours, golden = (support.read_submission(tmp_path / name)
                  for name in ("ours.csv", "golden.csv"))
  # The starter code reads the files in the order of the directory.
  assert ours.keys() == golden.keys() and len(ours) == 120
  for video_id, (classes, scores) in golden.items():
    np.testing.assert_array_equal(ours[video_id][0], classes)
    # Six digits are written, and numpy may round the last one differently.
    np.testing.assert_allclose(ours[video_id][1], scores, rtol=5e-6)


def test_ties_go_to_the_lower_class():
  assert videos.format_lines(["a", "b"], *best(PREDICTIONS, 3)) == [
      "a,1 0.5 2 0.3 0 0.1\n", "b,0 0.25 1 0.25 2 1e-07\n"]
  zeros = np.zeros((1, 5000), np.float32)
  assert videos.format_lines(["z"], *best(zeros, 4)) == ["z,0 0 1 0 2 0 3 0\n"]


@pytest.mark.parametrize("ids", [
    ["a", "ü"], [b"a", "ü".encode()], np.array(["a", "ü"]),
    np.array([b"a", "ü".encode()], object)])
def test_ids_may_be_text_or_bytes(ids):
  lines = videos.format_lines(ids, *best(PREDICTIONS, 1))
  assert lines == ["a,1 0.5\n", "ü,0 0.25\n"]


@hypothesis.given(st.data())
def test_lines_are_those_of_a_plain_loop(data):
  shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=6))
  scores = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
  classes = data.draw(hnp.arrays(np.int32, shape, elements=st.integers(0, 4000)))
  ids = [f"v{row}" for row in range(shape[0])]
  expected = [
      f"{video_id},{' '.join('%i %g' % pair for pair in zip(*row, strict=True))}\n"
      for video_id, *row in zip(ids, classes, scores, strict=True)]
  assert videos.format_lines(ids, classes, scores) == expected


def test_as_many_ids_as_predictions():
  classes, scores = best(PREDICTIONS, 1)
  with pytest.raises(ValueError, match=r"1 ids, .* do not belong together"):
    videos.format_lines(["a"], classes, scores)
  with pytest.raises(ValueError, match=r"classes \(1, 1\) and scores \(2, 1\) do not"):
    videos.format_lines(["a", "b"], classes[:1], scores)


def test_what_is_written_is_read_back_whatever_the_batches(tmp_path):
  rng = np.random.default_rng(0)
  ids = np.array([b"v%02d" % i for i in range(10)])
  predictions = rng.random((10, 30), dtype=np.float32)
  contents = []
  for cuts in ([], [4], [0, 3, 9]):
    path = tmp_path / f"{len(cuts)}.csv"
    with videos.SubmissionWriter(path) as writer:
      for batch_ids, batch in zip(
          np.split(ids, cuts), np.split(predictions, cuts), strict=True):
        writer.write(batch_ids, *best(batch, 5))
    contents.append(path.read_bytes())
  assert contents[0] == contents[1] == contents[2]

  read = support.read_submission(path)
  assert list(read) == [i.decode() for i in ids]
  order = np.argsort(-predictions, axis=1)[:, :5]
  np.testing.assert_array_equal([classes for classes, _ in read.values()], order)
  np.testing.assert_allclose([scores for _, scores in read.values()],
                             np.take_along_axis(predictions, order, 1), rtol=5e-6)


def test_no_videos_give_a_header(tmp_path):
  path = tmp_path / "out.csv"
  with videos.SubmissionWriter(path) as writer:
    writer.write([], *best(np.empty((0, 3), np.float32), 2))
  assert path.read_bytes() == b"VideoId,LabelConfidencePairs\n"
  assert support.read_submission(path) == {}


def test_an_existing_output_is_kept_unless_told_otherwise(tmp_path):
  path = tmp_path / "out.csv"
  path.write_text("precious")
  with (pytest.raises(FileExistsError, match="out.csv exists: .*--overwrite"),
        videos.SubmissionWriter(path)):
    pytest.fail("no prediction must be made")
  assert path.read_text() == "precious"
  with videos.SubmissionWriter(path, overwrite=True) as writer:
    writer.write(["a", "b"], *best(PREDICTIONS, 1))
  assert path.read_text().splitlines()[1:] == ["a,1 0.5", "b,0 0.25"]


def test_an_unwritable_output_is_an_error_before_any_prediction(tmp_path):
  (tmp_path / "file").touch()
  with (pytest.raises(OSError, match="must exist and be writable: .*/file/out.csv"),
        videos.SubmissionWriter(tmp_path / "file" / "out.csv")):
    pytest.fail("no prediction must be made")


def test_a_full_disk_leaves_no_half_submission(tmp_path):
  path = tmp_path / "out.csv"
  with (full_disk(after=50_000),
        pytest.raises(OSError, match="after 50,000 bytes; nothing half.*out.csv"),
        videos.SubmissionWriter(path) as writer):
    for _ in range(1000):
      writer.write(["a", "b"] * 10, *best(np.tile(PREDICTIONS, (10, 1)), 3))
  assert os.listdir(tmp_path) == []


def test_a_failed_prediction_leaves_the_old_submission(tmp_path):
  path = tmp_path / "out.csv"
  path.write_text("old")
  with (pytest.raises(ZeroDivisionError),
        videos.SubmissionWriter(path, overwrite=True) as writer):
    writer.write(["a", "b"], *best(PREDICTIONS, 1))
    _ = 1 / 0
  assert path.read_text() == "old"
  assert os.listdir(tmp_path) == ["out.csv"]
