# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Learns the ranges of features that are stored in 8 bits."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import numpy as np

from yt8m.core import feature_spec
from yt8m.core import numerics
from yt8m.extracting import clips as clip_lists
from yt8m.extracting import decoder
from yt8m.extracting import features
from yt8m.extracting import streams
from yt8m.extractors import base

# Clips that ranges are learned from.
NUM_CLIPS = 64
# Of the values, this share may be below the range, and as many above it.
_OUTSIDE_PERCENT = 0.01


def learned(extractor: base.Extractor, clips: Sequence[clip_lists.Clip],
            sampling: features.Sampling, decoders: streams.Decoders,
            report: Callable[[int], Any]) -> dict[str, numerics.Range]:
  """Returns the range of the values of each modality that is stored as floats.

  It goes from the 0.01th to the 99.99th percentile of the values of `NUM_CLIPS` clips,
  spread over the list. Clips that give no features are left out. There are no ranges if
  none gives any.

  Args:
    extractor: Extractor of the features.
    clips: Clips to learn from; those at the end are used if others fail.
    sampling: What is taken of each file.
    decoders: Processes that decode.
    report: Function of the number of clips that were used.
  """
  wanted = [modality for modality in extractor.modalities
            if extractor.dtypes[modality] != feature_spec.UINT8]
  step = max(1, len(clips) // NUM_CLIPS)
  tried = [*clips[::step], *(clip for index, clip in enumerate(clips) if index % step)]
  found = []
  for stream in decoders.decode(sampling.request(
      extractor, clip.path, clip.start, clip.end) for clip in tried):
    try:
      found.append(features.extract(extractor, stream, sampling))
    except decoder.DecodingFailed:  # The job lists it, with the reason.
      continue
    report(len(found))
    if len(found) == NUM_CLIPS:
      break
  return {modality: _range(np.concatenate(
      [one[modality].ravel() for one in found]).astype(np.float32))
          for modality in wanted if found}


def _range(values: np.ndarray) -> numerics.Range:
  low, high = np.percentile(values, [_OUTSIDE_PERCENT, 100 - _OUTSIDE_PERCENT])
  low, high = float(f"{low:.4g}"), float(f"{high:.4g}")
  return (low, high) if low < high else (low, low + 1.0)
