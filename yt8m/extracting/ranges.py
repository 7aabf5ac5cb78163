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

# Clips that ranges are learned from, spread evenly over the list.
NUM_CLIPS = 64
# Of the values, this share may be below the range, and as many above it.
_OUTSIDE_PERCENT = 0.01


def learned(extractor: base.Extractor, clips: Sequence[clip_lists.Clip],
            sampling: features.Sampling, decoders: streams.Decoders,
            report: Callable[[int], Any]) -> dict[str, numerics.Range]:
  """Returns the range of the values of each modality that is stored as floats.

  It goes from the 0.01th to the 99.99th percentile of the values of some of the clips.

  Args:
    extractor: Extractor of the features.
    clips: Clips to learn from, `NUM_CLIPS` of them.
    sampling: What is taken of each file.
    decoders: Processes that decode.
    report: Function of the number of clips that are done.

  Raises:
    ValueError: None of these clips gives features, or all features have 8 bits already.
  """
  wanted = [modality for modality in extractor.modalities
            if extractor.dtypes[modality] != feature_spec.UINT8]
  if not wanted:
    raise ValueError(f"--quantize has nothing to do: the features of {extractor.name} "
                     "have 8 bits already. Leave it out.")
  chosen = clips[::-(-len(clips) // NUM_CLIPS)] if clips else ()
  found, reason = {modality: [] for modality in wanted}, "the list has none for training"
  for done, stream in enumerate(decoders.decode(
      sampling.request(extractor, clip.path, clip.start, clip.end) for clip in chosen)):
    report(done)
    try:
      extracted = features.extract(extractor, stream, sampling)
    except decoder.DecodingFailed as error:
      reason = str(error)
      continue
    for modality in wanted:
      found[modality].append(extracted[modality].ravel())
  if not any(found.values()):
    raise ValueError("--quantize learns from the clips for training, of which none gives "
                     f"features ({reason}): correct the list, or leave --quantize out.")
  return {modality: _range(np.concatenate(values).astype(np.float32))
          for modality, values in found.items()}


def _range(values: np.ndarray) -> numerics.Range:
  low, high = np.percentile(values, [_OUTSIDE_PERCENT, 100 - _OUTSIDE_PERCENT])
  low, high = float(f"{low:.4g}"), float(f"{high:.4g}")
  return (low, high) if low < high else (low, low + 1.0)
