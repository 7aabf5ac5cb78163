# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A SavedModel as its users see it: which records it reads, and what it says of them."""

import dataclasses
import json
import os

import tensorflow as tf

from yt8m.artifacts import manifest
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.data import frame_reader
from yt8m.data import video_reader

DESCRIPTION = "feature_spec.json"


@dataclasses.dataclass(frozen=True)
class Served:
  """What a SavedModel reads and answers, as its `assets/feature_spec.json` says.

  Attributes:
    spec: `FeatureSpec`, of whole videos.
    max_frames: frames of a video that count.
    num_classes: C.
  """
  spec: feature_spec.FeatureSpec
  max_frames: int
  num_classes: int

  def save(self, directory):
    """Writes the file into a directory; returns its path."""
    path = os.path.join(directory, DESCRIPTION)
    with files.atomic_write(path) as file:
      json.dump({**self.spec.to_config(), "max_frames": self.max_frames,
                 "num_classes": self.num_classes}, file, indent=2)
    return path

  @classmethod
  def load(cls, saved_model):
    """Reads the file of a SavedModel.

    Raises:
      FileNotFoundError: it has none.
      ValueError: the file is not one of ours.
    """
    path = os.path.join(saved_model, "assets", DESCRIPTION)
    if not tf.io.gfile.exists(path):
      raise FileNotFoundError(f"{path} does not exist: {saved_model} is no SavedModel "
                              "that yt8m-export wrote.")
    with files.open_to_read(path) as file:
      text = file.read()
    try:
      config = json.loads(text)
      return cls(feature_spec.FeatureSpec.from_config(config), config["max_frames"],
                 config["num_classes"])
    except (json.JSONDecodeError, KeyError, TypeError) as error:
      raise ValueError(
          f"{path} is not a file that yt8m-export wrote ({error!r}).") from error

  def reader(self):
    """The reader of its records; it pads to the longest video of a batch."""
    if self.spec.is_video_level:
      return video_reader.VideoLevelReader(self.spec, self.num_classes)
    return frame_reader.FrameLevelReader(
        self.spec, self.num_classes, self.max_frames, pad_to_max_frames=False)


def load(saved_model):
  """Loads a SavedModel that `yt8m-export` wrote, and that scores what its reader reads.

  Raises:
    ValueError, FileNotFoundError: it is not what its `manifest.json` says.
    ValueError: it has other signatures.
  """
  manifest.verify(saved_model)
  loaded = tf.saved_model.load(saved_model)
  if "predict_features" not in loaded.signatures:
    raise ValueError(f"{saved_model} has no signature predict_features, by which records "
                     "are scored: export the model again, without --mediapipe.")
  return loaded


def load_predictor(saved_model):
  """Loads a SavedModel as a function; errors are those of `load`.

  Returns:
    A function from a batch of its reader to scores, (batch_size, num_classes) float32.
  """
  loaded = load(saved_model)
  inputs = loaded.signatures["predict_features"].structured_input_signature[1]

  def predict(batch):
    xs = {**batch["features"], "num_frames": batch["num_frames"]}
    # Looked up here: the signatures live as long as what was loaded.
    return loaded.signatures["predict_features"](
        **{name: xs[name] for name in inputs})["predictions"]

  return predict
