# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`dataset.json`: what `yt8m-extract` says about the records it has written.

With `--data=DIRECTORY`, commands take names, sizes and types of the features, the classes
and the patterns of the records from it.
"""

import dataclasses
import os
from collections.abc import Mapping
from collections.abc import Sequence

from yt8m.core import feature_spec
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import registry
from yt8m.core import vocabulary
from yt8m.core.types import Config
from yt8m.core.types import PathLike

FILE = "dataset.json"
TRAIN, VALIDATE, TEST = SPLITS = ("train", "validate", "test")


@dataclasses.dataclass(frozen=True)
class Dataset:
  """A directory of records, in splits, with the names of their classes.

  Attributes:
    directory: Path of the directory.
    spec: Features of the records.
    num_classes: Number of classes.
    max_frames: Largest number of frames of a record.
    fps: Number of frames a second.
    num_videos: Number of records by split.
    extraction: Further settings of the extraction, such as the config of the extractor.
  """
  directory: str
  spec: feature_spec.FeatureSpec
  num_classes: int
  max_frames: int
  fps: float
  num_videos: Mapping[str, int]
  extraction: Config = dataclasses.field(default_factory=dict)

  @classmethod
  def load(cls, directory: PathLike) -> "Dataset":
    """Reads the `dataset.json` of a directory.

    Raises:
      FileNotFoundError: There is none.
      ValueError: It is not a description that `write` wrote.
    """
    return files.read_json(
        os.path.join(directory, FILE), kind="a description of records by yt8m-extract",
        remedy=f"Name a directory that yt8m-extract has finished, not {directory}",
        parse=lambda config: cls._parse(os.fspath(directory), config))

  @classmethod
  def _parse(cls, directory: str, config: Config) -> "Dataset":
    fields.check(config, {
        "format": fields.one_of([1]), "features": fields.OBJECT,
        "num_classes": fields.COUNT, "max_frames": fields.COUNT, "fps": fields.NUMBER,
        "num_videos": fields.object_of(fields.SIZE, "whole numbers from 0 on"),
        "extraction": fields.OBJECT})
    if config["fps"] <= 0:
      raise ValueError(f"fps is {fields.short(config['fps'])}, but must be above 0")
    for split in config["num_videos"]:
      if split not in SPLITS:
        raise ValueError(f"num_videos has the unknown split {split!r}")
    return cls(directory, feature_spec.FeatureSpec.from_config(config["features"]),
               config["num_classes"], config["max_frames"], float(config["fps"]),
               config["num_videos"], config["extraction"])

  @classmethod
  def beside(cls, record_files: Sequence[str]) -> "Dataset | None":
    """Returns the description of the directory of record files; None if it has none."""
    directory = os.path.dirname(record_files[0]) if record_files else ""
    return cls.load(directory) if files.exists(os.path.join(directory, FILE)) else None

  @classmethod
  def check_names(cls, record_files: Sequence[str],
                  names: vocabulary.Vocabulary | None) -> None:
    """Refuses records whose classes have other names than those of a model.

    Args:
      record_files: Paths of the records.
      names: Names of the classes of the model, if it has any.

    Raises:
      ValueError: The same class has two names.
    """
    data = cls.beside(record_files)
    if data is None or names is None or not files.exists(data.vocabulary):
      return
    theirs = vocabulary.Vocabulary.load(data.vocabulary, data.num_classes).names
    for index, (name, ours) in enumerate(zip(theirs, names.names, strict=False)):
      if name != ours:
        raise ValueError(
            f"Class {index} of {data.directory} is {fields.printable(name)}, and class "
            f"{index} of the model {fields.printable(ours)}: the labels mean something "
            "else. Extract the videos again with the names of the model (yt8m-extract "
            f"--vocabulary), or correct {data.vocabulary}.")

  @classmethod
  def with_extractor(cls, spec: feature_spec.FeatureSpec, record_files: Sequence[str]
                     ) -> feature_spec.FeatureSpec:
    """Returns a spec with the extractor and the ranges that the file beside the records
    names."""
    data = cls.beside(record_files)
    return spec if data is None else dataclasses.replace(
        spec, extractor=data.spec.extractor,
        ranges={name: bounds for name, bounds in data.spec.ranges.items()
                if name in spec.names})

  def write(self) -> None:
    """Writes `dataset.json`, which is there whole or not at all."""
    files.write_json(os.path.join(self.directory, FILE), {
        "format": 1, "features": self.spec.to_config(), "num_classes": self.num_classes,
        "max_frames": self.max_frames, "fps": self.fps,
        "num_videos": dict(self.num_videos), "extraction": self.extraction})

  @property
  def vocabulary(self) -> str:
    """Path of the CSV with the names of the classes."""
    return os.path.join(self.directory, vocabulary.FILE)

  def pattern(self, split: str) -> str:
    """Returns the pattern of the records of a split.

    Raises:
      ValueError: There is no such split, or it has no records; those that have are named.
    """
    if not self.num_videos.get(split):
      filled = [name for name, count in self.num_videos.items() if count]
      raise registry.unknown(
          "split", split, filled, f"They are those of {self.directory} with records: "
          "name one of them, or give more to this one (yt8m-extract --split).")
    return os.path.join(self.directory, f"{split}-*.tfrecord")
