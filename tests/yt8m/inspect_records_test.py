# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""yt8m-inspect finds what is planted in records, and nothing in good ones."""

import re

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m.core import feature_spec
from yt8m.data import readers
from yt8m.data import tfrecords
from yt8m.inspecting import comparison
from yt8m.inspecting import findings
from yt8m.inspecting import inspection
from yt8m.inspecting import statistics

INSPECT = "yt8m.inspect_records"
CLASSES = 6


def videos(seed, count=150):
  """Good frame-level videos: id, labels and features by name."""
  rng = np.random.default_rng(seed)
  return [(f"{seed}v{i}", [i % CLASSES], {
      "rgb": rng.integers(256, size=(5, 16), dtype=np.uint8),
      "audio": rng.normal(size=(5, 8)).astype(np.float16)}) for i in range(count)]


def write(path, examples):
  with tf.io.TFRecordWriter(str(path)) as file:
    for example in examples:
      file.write(example if isinstance(example, bytes) else
                 tfrecords.frame_example(*example).SerializeToString())
  return str(path)


def inspected(path):
  found = inspection.Inspection([str(path)])
  found.read()
  return found


def kinds(path, num_classes=CLASSES):
  return {finding.kind: str(finding)
          for finding in findings.of_set(inspected(path), num_classes)}


def changed(index, **features):
  """Good videos, but one of them has other features."""
  made = videos(0)
  made[index] = (*made[index][:2], {**made[index][2], **features})
  return made


def with_labels(labels):
  return [(video_id, labels(i), x) for i, (video_id, _, x) in enumerate(videos(0))]


def all_with(**changes):
  return [(video_id, labels, {**x, **{name: change(x[name])
                                      for name, change in changes.items()}})
          for video_id, labels, x in videos(0)]


NAN = np.full((5, 8), np.nan, np.float16)
FAULTS = {
    "ids that occur twice": ([*videos(0), videos(0)[7]], "0v7 in .*record 7 and .*150"),
    "copies under another id": ([*videos(0), ("new", [1], videos(0)[3][2])],
                                "record 150 with those of .*record 3"),
    "missing feature": ([(i, labels, {"rgb": x["rgb"]}) if n == 4 else (i, labels, x)
                         for n, (i, labels, x) in enumerate(videos(0))],
                        r"1 record \(0.7%\) without audio"),
    "several sizes": (changed(2, rgb=np.zeros((5, 15), np.uint8)), r"16 \(149\), 15 \(1"),
    "not finite": (changed(2, audio=NAN), "audio has 40 values"),
    "zero frames": (all_with(rgb=lambda x: x * (np.arange(5) < 4)[:, None].astype("u1")),
                    "20.0% of the frames of rgb"),
    "constant values": (all_with(rgb=lambda x: x * (np.arange(16) != 3).astype("u1")),
                        "1 of the 16 values of rgb"),
    "quantisation unused": (all_with(rgb=lambda x: x // 2 + 100),
                            "128 of the 256 .*from 100 to 227"),
    "quantisation clipped": (all_with(rgb=lambda x: np.where(x > 150, 255, x)),
                             "are 0 or 255"),
    "labels out of range": (with_labels(lambda i: [-1 if i == 8 else 9 if i == 9 else 1]),
                            "-1 to 9, in 2 places; there are 6 classes"),
    "classes without examples": (with_labels(lambda i: [i % 4]), "2 of 6: 4, 5"),
    "videos without labels": (with_labels(lambda i: [i % CLASSES] if i else []),
                              r"1 record \(0.7%\)"),
    "labels that occur twice": (with_labels(lambda i: [i % CLASSES] * (1 + (i == 0))),
                                "1 record"),
    "no labels": (with_labels(lambda i: []), "No record has labels|150 records"),
    "features of several lengths": (changed(2, rgb=np.ones((3, 16), np.uint8)), "1 rec"),
    "records without use": ([*videos(0), b"\xff\xff\xff"], "record 150 is no tf.train"),
    "long videos": (changed(2, rgb=np.random.default_rng(1).integers(
        256, size=(301, 16), dtype=np.uint8), audio=np.ones((301, 8), np.float16)),
        "1 record of more than 300 frames, up to 301"),
}


def test_nothing_is_found_in_good_records(tmp_path):
  path, other = (write(tmp_path / f"r{seed}", videos(seed)) for seed in (0, 1))
  found = inspected(path)
  assert kinds(path) == {}
  assert found.levels == {"frame": 150} and found.lengths == {5: 150}
  assert {name: (one.size, one.dtype, one.num_frames)
          for name, one in found.features.items()} == {
      "rgb": (16, "uint8", 750), "audio": (8, "float16", 750)}
  audio = np.concatenate([x["audio"] for *_, x in videos(0)]).astype(np.float64)
  np.testing.assert_allclose(found.features["audio"].moments.mean, audio.mean(0))
  np.testing.assert_allclose(found.features["audio"].moments.deviation, audio.std(0))
  assert comparison.of_pair(found, inspected(other)) == []


@pytest.mark.parametrize("kind", FAULTS)
def test_what_is_planted_is_found(kind, tmp_path):
  examples, text = FAULTS[kind]
  found = kinds(write(tmp_path / "r", examples))
  if kind == "no labels":
    kind = next(iter({"no labels", "videos without labels"} & set(found)))
  assert kind in found and re.search(text, found[kind]), found


def test_damaged_and_empty_files(tmp_path):
  path = tmp_path / "cut"
  write(path, videos(0))
  path.write_bytes(path.read_bytes()[:-9])
  write(tmp_path / "empty", [])
  assert "1 file cannot be read to the end" in kinds(path)["damaged files"]
  assert "1 file without records" in kinds(tmp_path / "empty")["empty files"]


def test_two_sets(tmp_path):
  def pair(first, second):
    return {finding.kind: str(finding) for finding in comparison.of_pair(
        *(inspected(write(tmp_path / name, examples))
          for name, examples in (("a", first), ("b", second))))}

  first, second = videos(0), videos(1)
  leak = pair(first, [*second, (first[9][0], [0], second[0][2])])
  assert re.search("1 record .*b, record 150 is .*a, record 9 .id 0v9",
                   leak["leak by id"])
  leak = pair(first, [*second, ("new", [0], first[9][2])])
  assert "record 150 is" in leak["leak by features"] and "leak by id" not in leak
  assert not pair(first, second)
  shifted = [(i, labels, {**x, "audio": x["audio"] + np.float16(0.7)})
             for i, labels, x in second]
  assert "audio are shifted by 0.69 " in pair(first, shifted)["drift of a feature"]
  others = [(i, [min(2, labels[0])], x) for i, labels, x in second]
  assert "class 2 (16.7% and 66.7%)" in pair(first, others)["drift of labels"]
  rgb = [(i, labels, {"rgb": x["rgb"][:, :12]}) for i, labels, x in second]
  assert {"other features", "other sizes or types"} == set(pair(first, rgb))


@pytest.mark.parametrize("dtype", feature_spec.DTYPES)
@pytest.mark.parametrize("relu", [False, True])
def test_types_of_bytes_are_guessed(dtype, relu):
  rng = np.random.default_rng(0)
  frames = rng.normal(size=(10, 64)) * (60 if dtype == "uint8" else 3)
  frames = np.maximum(frames, 0) if relu else frames
  array = np.clip(frames + 128, 0, 255).astype(np.uint8) if dtype == "uint8" else (
      frames.astype(dtype))
  assert statistics.guess_dtype(array.view(np.uint8).reshape(10, -1)) == dtype


def test_levels_and_the_flags_of_training(tmp_path):
  """What is printed as flags reads the records."""
  support.run_command("yt8m.sample_data", f"--output_dir={tmp_path}/data",
                      "--num_videos=60", "--num_classes=13", "--max_frames=8",
                      "--num_shards=1", "--feature_sizes=16,8")
  for level, words in (("video", {"--feature_names=mean_rgb,mean_audio"}),
                       ("frame", {"--frame_features", "--feature_names=rgb,audio"}),
                       ("segment", {"--frame_features", "--segment_labels"})):
    pattern = f"{tmp_path}/data/{level}/*.tfrecord"
    output = support.run_command(INSPECT, pattern).stdout
    flags = re.search(r"^    (--.*)$", output, re.MULTILINE)[1].split()
    assert words <= {*flags} and f"{level}-level records" in output
    given = dict(flag.lstrip("-").partition("=")[::2] for flag in flags)
    spec = feature_spec.FeatureSpec.from_flags(
        given["feature_names"], given["feature_sizes"], "frame_features" in given,
        "segment_labels" in given, given.get("feature_dtypes"))
    next(iter(readers.make_reader(spec, int(given["num_classes"]), 8).dataset(
        pattern, 4)))


def test_the_command(tmp_path):
  train = write(tmp_path / "train", videos(0))
  validate = write(tmp_path / "validate", [*videos(1), videos(0)[0]])
  command = (INSPECT, train, f"--against={validate}", f"--output_dir={tmp_path}/out")
  first = support.run_command(*command)
  assert "- **leak by id**: 1 record (0.7%) of the second set" in first.stdout
  written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
  assert set(written) == {"inspection.md", "inspection.png"}
  assert first.stdout.partition("\n\nWrote")[0] in written["inspection.md"].decode()
  support.run_command(*command)
  assert written == {path.name: path.read_bytes()
                     for path in (tmp_path / "out").iterdir()}
  strict = support.run_command(*command[:3], "--strict", check=False)
  assert strict.returncode == 1 and "--strict: 1 finding, see" in strict.stderr
  part = support.run_command(INSPECT, train, "--max_records=10").stdout
  assert "10 frame-level records" in part
  for words, message in (
      ([f"{tmp_path}/no*"], r"Nothing matches '.*no\*': name record files"),
      ([train, "--against=/no*"], r"No file matches '/no\*' \(--against\)"),
      ([], "Name record files")):
    failed = support.run_command(INSPECT, *words, check=False)
    assert failed.returncode == 1 and re.search(message, failed.stderr)
  (tmp_path / "out/inspection.md").write_text("mine")
  failed = support.run_command(*command, check=False)
  assert failed.returncode == 1 and "inspection.md" in failed.stderr
