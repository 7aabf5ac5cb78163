# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`--data`: a directory of `yt8m-extract` in place of the flags that describe records."""

from collections.abc import Mapping
from typing import Any

from absl import flags
from absl import logging

from yt8m.core import paths
from yt8m.data import dataset

# What is defined here belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()

# Recipe for records of frames, which the default of --model does not read.
_FRAME_MODEL = "FrameLevelLogisticModel"
# Split of each flag for patterns, if the user names none.
_patterns: dict[str, str] = {}
# Not empty if the command has flags that describe features and classes.
_describing: list[bool] = []


def define(patterns: Mapping[str, str], chosen: str = "", describes: bool = False
           ) -> None:
  """Defines `--data`, for the command that calls this.

  Args:
    patterns: Split whose records each flag for patterns stands for.
    chosen: Flag of these whose split is chosen by `--split`; "" for none.
    describes: Whether the command has flags that describe features and classes.
  """
  _patterns.update(patterns)
  _describing.extend([True] if describes else [])
  names = " and ".join(f"--{name} ({split})" for name, split in patterns.items())
  what = "the flags of the features and classes, and for " if describes else ""
  paths.define("data", None, "Directory of yt8m-extract: its dataset.json stands for "
               f"{what}{names}. Flags that are given count more.",
               must_exist="name a directory that yt8m-extract wrote")
  if chosen:
    flags.DEFINE_enum("split", patterns[chosen], dataset.SPLITS,
                      f"Records of --data that --{chosen} stands for.")


def apply() -> dataset.Dataset | None:
  """Makes what `--data` says the default of the flags of this command.

  Returns:
    What it says; None without `--data`.

  Raises:
    FileNotFoundError: The directory has no `dataset.json`.
    ValueError: `dataset.json` cannot be used, or a split has no records.
  """
  values = flags.FLAGS
  if not values.data:
    return None
  data = dataset.Dataset.load(values.data)
  if _describing:
    for name, value in _described(data).items():
      if name in values:
        values.set_default(name, value)
    if "model" in values and not values["model"].present and not data.spec.is_video_level:
      logging.info("The model is %s, the default for frames; --model names others.",
                   _FRAME_MODEL)
  for name, split in _patterns.items():
    if "split" in values and values["split"].present:
      split = values.split
    # Training goes without evaluation if there is nothing to evaluate on.
    if data.num_videos.get(split) or len(_patterns) == 1 or split == dataset.TRAIN:
      values.set_default(name, data.pattern(split))
  return data


def _described(data: dataset.Dataset) -> dict[str, Any]:
  """Returns what a dataset says of its records, as values of flags."""
  spec = data.spec
  if flags.FLAGS["feature_names"].present:
    names = [name.strip() for name in flags.FLAGS.feature_names.split(",")]
    if known := [name for name in names if name in spec.names]:
      spec = spec.of_names(known)
  model = {} if spec.is_video_level else {"model": _FRAME_MODEL}
  return {**model, "feature_names": ",".join(spec.names),
          "feature_sizes": ",".join(map(str, spec.sizes)),
          "feature_dtypes": ",".join(spec.dtypes),
          "frame_features": not spec.is_video_level, "num_classes": data.num_classes,
          "vocabulary": data.vocabulary, "max_frames": data.max_frames}
