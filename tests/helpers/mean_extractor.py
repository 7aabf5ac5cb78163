# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""An extractor without weights: mean colours, and the loudness of parts of a second."""

import numpy as np

from yt8m.extractors import base


class MeanExtractor(base.Extractor):
  """Eight numbers of the frames and four of the sound, in 8 bits."""
  name = "tests.helpers.mean_extractor:MeanExtractor"
  modalities = ("rgb", "audio")
  sizes = {"rgb": 8, "audio": 4}
  dtypes = {"rgb": "uint8", "audio": "uint8"}
  frame_size = (16, 16)

  def extract_frames(self, rgb):
    means = rgb.mean(axis=(1, 2)) / 64 - 2
    return np.concatenate([means, means, means[:, :2]], axis=1).astype(np.float32)

  def extract_audio(self, waveform, fps=1.0):
    rows = base.num_rows(len(waveform), fps)
    padded = np.zeros(rows * base.SAMPLE_RATE, np.float32)
    padded[:len(waveform)] = waveform
    return np.abs(padded).reshape(rows, 4, -1).mean(axis=2) * 4 - 2
