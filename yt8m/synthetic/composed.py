# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Frame-level videos composed of real video-level vectors, one real video a scene."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.core import feature_spec
from yt8m.core import paths
from yt8m.data import records
from yt8m.data import video_reader
from yt8m.synthetic import scenes as scenes_lib

_MAX_SOURCES = 3  # largest number of real videos in a composed one
_BATCH = 256  # real videos that are read at a time


class ComposedVideos:
  """Videos whose scenes are the mean features of real videos, with all their labels.

      frame_t = mean_features[source of the scene of t] + noise_t

  A real video is a source in one split only, so that no model is evaluated on a source
  that it was trained on.

  Args:
    pattern: Globs of video-level records, separated by commas.
    num_classes: Number of classes, C.
    sizes: Sizes of rgb and audio.
    splits: `{split: share}` of the splits.
    max_frames: Number of frames of the longest videos.
    rng: Random number generator.
    dtypes: Types of rgb and audio in the composed records.

  Attributes:
    features: `{modality: (num_sources, size) float32}`.
    label_sets: Class indices of each source.

  Raises:
    ValueError: No file matches, a record is corrupt or not video-level, a feature has
      another size, a label is out of range, or there are fewer videos than splits.
  """

  def __init__(self, pattern: str, num_classes: int, sizes: Sequence[int],
               splits: Mapping[str, float], max_frames: int, rng: np.random.Generator,
               dtypes: Sequence[str] = (feature_spec.UINT8,) * 2):
    self._dtypes = dict(zip(scenes_lib.NAMES, dtypes, strict=True))
    self.features, self.label_sets = _read_videos(pattern, num_classes, sizes)
    sources = rng.permutation(len(self.label_sets))
    ends = np.rint(np.cumsum(list(splits.values())) * len(sources)).astype(int)
    self._sources = dict(zip(splits, np.split(sources, ends[:-1]), strict=True))
    for split, part in self._sources.items():
      if splits[split] and not len(part):
        raise ValueError(
            f"--from_records={pattern} has {len(sources)} videos, too few to give the "
            f"split {split!r} one of its own: name more files.")
    self._max_frames = max_frames

  def make(self, index: int, split: str, rng: np.random.Generator) -> scenes_lib.Video:
    """Returns a video that is composed of the sources of a split, whatever its index."""
    cuts = scenes_lib.draw_cuts(self._max_frames, rng)
    pool = self._sources[split]
    num_sources = min(1 + rng.integers(_MAX_SOURCES), len(cuts) - 1, len(pool))
    # Every source shows at least once, in any order.
    chosen = rng.choice(pool, size=num_sources, replace=False)
    more = rng.choice(chosen, size=len(cuts) - 1 - num_sources)
    sources = rng.permutation(np.concatenate([chosen, more]))
    events = [
        scenes_lib.Event(int(label), "", -1, int(start), np.ones(stop - start))
        for source, start, stop in zip(sources, cuts[:-1], cuts[1:], strict=True)
        for label in self.label_sets[source]]
    frames = {
        name: scenes_lib.stored(scenes_lib.frames_of_scenes(
            self.features[name][sources], cuts, name, rng), self._dtypes[name])
        for name in scenes_lib.NAMES}
    labels = np.unique(np.concatenate([self.label_sets[source] for source in chosen]))
    return scenes_lib.Video(labels, cuts, events, frames)

  def describe(self, index: int) -> tuple[str, str, str]:
    """Returns the name, the vertical and the description of a class."""
    return f"class-{index:04d}", "", "Class of the real videos composed."

  def ground_truth(self) -> dict[str, np.ndarray]:
    """Returns what is planted in the classes: nothing."""
    return {}


def _read_videos(pattern, num_classes, sizes):
  """Returns the features and the label sets of all records, in the order of the files."""
  names = [f"mean_{name}" for name in scenes_lib.NAMES]
  spec = feature_spec.FeatureSpec(names, sizes, feature_spec.VIDEO)
  reader = video_reader.VideoLevelReader(spec, num_classes)
  parts: list[Any] = [{name: np.zeros([0, size]) for name, size in reader.sizes.items()}]
  label_sets = []
  try:
    files = paths.match(pattern, "--from_records")
    with records.clear_errors(reader.explain, files):
      for batch in reader.dataset(
          pattern, _BATCH, num_readers=1, flag="--from_records").as_numpy_iterator():
        parts.append(batch["features"])
        label_sets += map(np.flatnonzero, batch["labels"])
  except records.RecordError as error:
    raise ValueError(f"{error} --from_records needs video-level records with "
                     f"{' and '.join(names)}.") from error
  features = {
      name: np.concatenate([part[f"mean_{name}"] for part in parts], dtype=np.float32)
      for name in scenes_lib.NAMES}
  return features, label_sets
