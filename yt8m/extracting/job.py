# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Extracts a list of clips into shards of records, and goes on where it was stopped.

    <output_dir>/extraction.json                  settings, and a digest of the clips
    <output_dir>/train-00-of-04.tfrecord          records of a shard
    <output_dir>/parts/train-00-of-04.json        what became of its clips; written last
    <output_dir>/failures.csv                     clips without a record, and why
    <output_dir>/vocabulary.csv, dataset.json     written at the end
"""

import collections
import csv
import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from yt8m.core import byte_ranges
from yt8m.core import directories
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import numerics
from yt8m.core import vocabulary
from yt8m.core.types import Config
from yt8m.data import dataset
from yt8m.data import tfrecords
from yt8m.extracting import clips as clip_lists
from yt8m.extracting import decoder
from yt8m.extracting import features
from yt8m.extracting import streams
from yt8m.extractors import base

SETTINGS, FAILURES, PARTS = "extraction.json", "failures.csv", "parts"
REPORT, CHART = "report.md", "report.png"
OUTPUT = directories.Kind("data set of yt8m-extract", SETTINGS, (
    "*.tfrecord", f"{PARTS}/*.json", FAILURES, vocabulary.FILE, dataset.FILE, REPORT,
    CHART))
_BEGUN = directories.Kind("data set of yt8m-extract that was begun", SETTINGS, ())


@dataclasses.dataclass(frozen=True)
class Result:
  """What became of the clips of a shard.

  Attributes:
    videos: Id, number of frames and labels of each record.
    failed: Path, id and reason of each clip without a record.
  """
  videos: list[tuple[str, int, list[str]]]
  failed: list[tuple[str, str, str]]

  @classmethod
  def from_config(cls, config: Config) -> "Result":
    """Reads the JSON of a shard.

    Raises:
      ValueError: An entry is missing or of another kind.
    """
    fields.check(config, {"videos": fields.list_of(fields.list_of(fields.ANY, "values"),
                                                   "lists"),
                          "failed": fields.list_of(fields.list_of(fields.TEXT, "texts"),
                                                   "lists")})
    videos = [(str(name), int(count), list(map(str, labels)))
              for name, count, labels in config["videos"]]
    return cls(videos, [(path, name, reason) for path, name, reason in config["failed"]])


@dataclasses.dataclass(frozen=True)
class Shard:
  """A file of records, and the clips that it is made of."""
  name: str
  split: str
  clips: tuple[clip_lists.Clip, ...]


class Job:
  """The extraction of clips into a directory.

  Args:
    splits: Clips by split, in the order of the records.
    extractor: Extractor of the features.
    sampling: What is taken of each file.
    names: Names of the classes.
    output_dir: Path of the directory.
    videos_per_shard: Number of clips of a shard.
    settings: Further settings that the records depend on.

  Attributes:
    shards: All shards.
  """

  def __init__(self, splits: Mapping[str, Sequence[clip_lists.Clip]],
               extractor: base.Extractor, sampling: features.Sampling,
               names: vocabulary.Vocabulary, output_dir: str, videos_per_shard: int,
               settings: Config):
    self._extractor, self._sampling, self._names = extractor, sampling, names
    self._index = {name: index for index, name in enumerate(names.names)}
    self._output_dir = output_dir
    self.shards = [
        Shard(tfrecords.shard_name(split, number, count), split, tuple(
            clips[number * videos_per_shard:(number + 1) * videos_per_shard]))
        for split, clips in splits.items()
        for count in [-(-len(clips) // videos_per_shard)] for number in range(count)]
    self._settings = {
        **settings, "extractor": extractor.identity(sampling.fps),
        **({"ranges": extractor.ranges} if extractor.ranges else {}),
        **dataclasses.asdict(sampling),
        "classes": names.digest, "videos_per_shard": videos_per_shard,
        "clips": self._digest()}

  def _digest(self) -> str:
    listed = [[shard.name, *map(dataclasses.asdict, shard.clips)]
              for shard in self.shards]
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()[:16]

  @property
  def num_clips(self) -> int:
    return sum(len(shard.clips) for shard in self.shards)

  def prepare(self) -> None:
    """Makes the directory one of these settings, or checks that it is.

    Raises:
      FileExistsError: It holds something else.
      ValueError: It was begun with other settings, which are named.
    """
    path = os.path.join(self._output_dir, SETTINGS)
    if not files.exists(path):
      refuse_foreign(self._output_dir)
      os.makedirs(self._output_dir, exist_ok=True)
      files.write_json(path, self._settings)
    OUTPUT.refuse_links(self._output_dir)
    os.makedirs(os.path.join(self._output_dir, PARTS), exist_ok=True)
    if differing := self.differing():
      raise ValueError(
          f"--output_dir={self._output_dir} was begun with other settings "
          f"({'; '.join(differing)}): name another directory, or add --overwrite.")

  def differing(self) -> list[str]:
    """Returns a text for each setting in which an extraction that was begun differs."""
    earlier = _settings_begun(self._output_dir)
    if earlier is None:
      return []
    now = json.loads(json.dumps(self._settings))
    return [f"{name} was {fields.short(earlier.get(name))}, is now "
            f"{fields.short(now.get(name))}" for name in {**now, **earlier}
            if earlier.get(name) != now.get(name)]

  def result(self, shard: Shard) -> Result | None:
    """Returns what became of a shard, or None if it is not finished."""
    path = self._part(shard)
    if not files.exists(path):
      return None
    result = files.read_json(path, kind="a part of yt8m-extract", remedy="Delete it",
                             parse=Result.from_config)
    written = os.path.exists(os.path.join(self._output_dir, shard.name))
    return None if result.videos and not written else result

  def run(self, decoders: streams.Decoders, retry_failed: bool,
          report: Callable[[int, int], Any]) -> None:
    """Writes the shards that are not finished, and then what describes them all.

    Args:
      decoders: Processes that decode.
      retry_failed: Whether shards with failures are written again.
      report: Function of the number of clips that are done, and that have failed.
    """
    results = {shard.name: self.result(shard) for shard in self.shards}
    if retry_failed:
      results = {name: None if result and result.failed else result
                 for name, result in results.items()}
    todo = [shard for shard in self.shards if results[shard.name] is None]
    done = sum(len(shard.clips) for shard in self.shards) - sum(
        len(shard.clips) for shard in todo)
    failed = sum(len(result.failed) for result in results.values() if result)
    if todo:  # Until the end, the directory is no data set.
      for name in (dataset.FILE, REPORT):
        _remove(os.path.join(self._output_dir, name))
    decoding = decoders.decode(
        self._sampling.request(self._extractor, clip.path, clip.start, clip.end)
        for shard in todo for clip in shard.clips)
    report(done, failed)
    for shard in todo:
      result = Result([], [])
      _remove(self._part(shard))  # That of other records, with --retry_failed.
      path = os.path.join(self._output_dir, shard.name)
      with files.atomic_path(path) as temporary:
        with tf.io.TFRecordWriter(temporary) as writer:
          # After the last clip, nothing is taken of what is decoded for the next shard.
          for clip, stream in zip(shard.clips, decoding, strict=False):
            for record in self._records(clip, stream, result):
              writer.write(record)
            done += 1
            report(done, failed + len(result.failed))
      if not result.videos:
        _remove(path)
      failed += len(result.failed)
      files.write_json(self._part(shard), dataclasses.asdict(result), indent=None)
    self._describe()

  def _records(self, clip: clip_lists.Clip, stream: Iterator[tuple[str, Any]],
               result: Result) -> Iterator[bytes]:
    """Yields the record of a clip, if it has one, and adds it to the result."""
    try:
      found = features.extract(self._extractor, stream, self._sampling)
    except decoder.DecodingFailed as error:
      result.failed.append((clip.path, clip.id, str(error)))
      return
    labels = sorted(self._index[name] for name in clip.labels)
    example = tfrecords.frame_example(clip.id, labels, found)
    num_frames = len(next(iter(found.values())))
    result.videos.append((clip.id, num_frames, list(clip.labels)))
    yield example.SerializeToString(deterministic=True)

  def _part(self, shard: Shard) -> str:
    name = shard.name.removesuffix(".tfrecord")
    return os.path.join(self._output_dir, PARTS, f"{name}.json")

  def results(self) -> list[tuple[Shard, Result]]:
    """Returns what became of the shards that are finished."""
    pairs = ((shard, self.result(shard)) for shard in self.shards)
    return [(shard, result) for shard, result in pairs if result is not None]

  def _describe(self) -> None:
    """Writes the classes, the failures and, at last, `dataset.json`."""
    num_videos = collections.Counter({shard.split: 0 for shard in self.shards})
    results = self.results()
    for shard, result in results:
      num_videos[shard.split] += len(result.videos)
    with files.atomic_write(os.path.join(self._output_dir, FAILURES)) as file:
      writer = csv.writer(file, lineterminator="\n")
      writer.writerow(["path", "id", "reason"])
      writer.writerows(failure for _, result in results for failure in result.failed)
    self._names.write(os.path.join(self._output_dir, vocabulary.FILE))
    dataset.Dataset(
        self._output_dir, self._extractor.spec(self._sampling.fps),
        len(self._names.names), self._sampling.max_frames, self._sampling.fps, num_videos,
        {"extractor": self._extractor.config, "missing": self._sampling.missing}).write()


def refuse_foreign(output_dir: str) -> None:
  """Refuses a directory that holds something else, and no extraction.

  Raises:
    FileExistsError: It does.
  """
  # What a killed process has left of the settings alone is no obstacle.
  if not files.exists(os.path.join(output_dir, SETTINGS)) and (
      _BEGUN.foreign_entries(output_dir)):
    directories.check_replaceable(output_dir)


def ranges_begun(output_dir: str) -> dict[str, numerics.Range] | None:
  """Returns the ranges of bytes of an extraction that was begun.

  {} for one of floats. None if none was begun, or if no clip gave any ranges.
  """
  settings = _settings_begun(output_dir)
  if settings is None or (settings.get("quantize") and not settings.get("ranges")):
    return None
  return {name: (low, high) for name, (low, high) in settings.get("ranges", {}).items()}


def _settings_begun(output_dir: str) -> Config | None:
  """Returns the settings of an extraction; None if none was begun."""
  path = os.path.join(output_dir, SETTINGS)
  return files.read_json(
      path, kind="settings of yt8m-extract", remedy="Name another --output_dir",
      parse=_checked_settings) if files.exists(path) else None


def _checked_settings(settings: Config) -> Config:
  fields.check(settings, {}, {"ranges": byte_ranges.KIND})
  ranges = settings.get("ranges", {})
  byte_ranges.checked(ranges, ranges)
  return settings


def _remove(path: str) -> None:
  if os.path.exists(path):
    os.remove(path)
