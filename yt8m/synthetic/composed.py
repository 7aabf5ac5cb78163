# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frame-level videos composed of real video-level vectors, one real video a scene."""

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from yt8m.synthetic import scenes as sample_data_scenes
from yt8m.synthetic.scenes import NAMES
from yt8m.synthetic.scenes import Event

_MAX_SOURCES = 3  # real videos in one composed video


class ComposedVideos:
  """Videos whose scenes are real videos' mean features; labels are the union of theirs.

  `frame_t = mean_features[source of the scene of t] + noise_t`. A real video serves one
  split only, so that none is trained on and measured with.

  Attributes:
    features: `{modality: (num_sources, size)}` float32.
    label_sets: the class indices of each source.

  Raises:
    ValueError: no file matches, a record is corrupt or not video-level, a feature has
      another size, a label is out of range, or there are fewer videos than splits.
  """

  def __init__(self, pattern, num_classes, sizes, splits, max_frames, rng):
    self.features, self.label_sets = read_videos(pattern, num_classes, sizes)
    sources = rng.permutation(len(self.label_sets))
    ends = np.rint(np.cumsum(list(splits.values())) * len(sources)).astype(int)
    parts = np.split(sources, ends[:-1])
    self._sources = dict(zip(splits, parts, strict=True))
    for split, part in self._sources.items():
      if splits[split] and not len(part):
        raise ValueError(
            f"--from_records={pattern} has {len(sources)} videos, too few to give the "
            f"split {split!r} one of its own: name more files.")
    self._max_frames = max_frames

  def make(self, index, split, rng):
    """Returns a `sample_data_scenes.Video` composed of videos of `split`."""
    del index
    cuts = sample_data_scenes.draw_cuts(self._max_frames, rng)
    pool = self._sources[split]
    num_sources = min(1 + rng.integers(_MAX_SOURCES), len(cuts) - 1, len(pool))
    # Every source at least once, in any order.
    chosen = rng.choice(pool, size=num_sources, replace=False)
    more = rng.choice(chosen, size=len(cuts) - 1 - num_sources)
    sources = rng.permutation(np.concatenate([chosen, more]))
    events = [Event(int(label), "", -1, int(start), np.ones(stop - start))
              for source, start, stop in zip(sources, cuts[:-1], cuts[1:], strict=True)
              for label in self.label_sets[source]]
    frames = {}
    for name in NAMES:
      scenes = self.features[name][sources]
      frames[name] = sample_data_scenes.quantize(
          sample_data_scenes.frames_of_scenes(scenes, cuts, name, rng))
    labels = np.unique(np.concatenate([self.label_sets[s] for s in chosen]))
    return sample_data_scenes.Video(labels, cuts, events, frames)

  def describe(self, index):
    """Returns the name, vertical and description of a class."""
    return f"class-{index:04d}", "", "Class of the real videos composed."

  def ground_truth(self):
    return {}


def read_videos(pattern, num_classes, sizes):
  """Returns the features and label sets of all video-level records of `pattern`."""
  paths = sorted(tf.io.gfile.glob(pattern.split(",")))
  if not paths:
    raise ValueError(f"--from_records={pattern} matches no file: check the path.")
  features, label_sets = {name: [] for name in NAMES}, []
  for path in paths:
    number = 0
    try:
      for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        number += 1
        entries = tf.train.Example.FromString(record).features.feature
        label_sets.append(_labels(entries, num_classes))
        for name, size in zip(NAMES, sizes, strict=True):
          features[name].append(_vector(entries, f"mean_{name}", size))
    except tf.errors.DataLossError as error:
      raise ValueError(f"{path}: corrupt after {number} records.") from error
    except (ValueError, DecodeError) as error:
      raise ValueError(f"{path}, record {number}: {error} --from_records takes "
                       "video-level records, of mean_rgb and mean_audio.") from error
  return {name: np.stack(rows) for name, rows in features.items()}, label_sets


def _labels(entries, num_classes):
  labels = np.unique(np.array(entries["labels"].int64_list.value, np.int64))
  outside = labels[(labels < 0) | (labels >= num_classes)]
  if outside.size:
    raise ValueError(f"label {outside[0]} is not from 0 to {num_classes - 1} "
                     "(--num_classes).")
  return labels


def _vector(entries, key, size):
  values = np.array(entries[key].float_list.value, np.float32)
  if values.size != size:
    raise ValueError(f"{key} has {values.size} floats, expected {size} "
                     "(--feature_sizes).")
  return values
