# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Log-mel spectrograms, as VGGish takes them, and their statistics."""

import numpy as np

from yt8m.extractors import base

NUM_BANDS = 64
# Samples of a window and between two windows: 25 and 10 ms.
WINDOW, HOP = 400, 160
_FFT = 512
_LOWEST_HERTZ, _HIGHEST_HERTZ = 125.0, 7500.0
_OFFSET = 0.01
# Windows of one call of the transform, which bound its memory.
_BLOCK = 4096


def _mel(hertz: np.ndarray | float) -> np.ndarray:
  return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _mel_matrix() -> np.ndarray:
  """Returns (257, 64): the weight of each frequency in each band.

  The bands are triangles of equal width on the mel scale, each from the middle of the one
  below to the middle of the one above.
  """
  bins = _mel(np.linspace(0.0, base.SAMPLE_RATE / 2, _FFT // 2 + 1))[:, np.newaxis]
  edges = np.linspace(_mel(_LOWEST_HERTZ), _mel(_HIGHEST_HERTZ), NUM_BANDS + 2)
  lower, middle, upper = edges[:-2], edges[1:-1], edges[2:]
  weights = np.maximum(0.0, np.minimum((bins - lower) / (middle - lower),
                                       (upper - bins) / (upper - middle)))
  weights[0] = 0.0
  return weights


_MEL_MATRIX = _mel_matrix()
# Of period 400, so that its last value is not zero.
_HANN = 0.5 - 0.5 * np.cos(2 * np.pi / WINDOW * np.arange(WINDOW))


def log_mel(waveform: np.ndarray, starts: np.ndarray) -> np.ndarray:
  """Returns the log-mel spectrum of windows of sound.

      L = log(|FFT(hann · x)| M + 0.01)

  where M is the matrix of 64 triangular bands from 125 to 7,500 Hz: those of VGGish
  (Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017).

  Args:
    waveform: (samples,) float32, 16,000 a second. Silence follows it.
    starts: (windows,) integers, the first sample of each window.

  Returns:
    (windows, 64) float32.
  """
  results = [np.empty((0, NUM_BANDS), np.float32)]
  for at in range(0, len(starts), _BLOCK):
    some = starts[at:at + _BLOCK]
    first, last = int(some.min()), int(some.max()) + WINDOW
    part = waveform[first:last]
    padded = np.pad(part, (0, last - first - len(part)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[some - first]
    spectrum = np.abs(np.fft.rfft(windows * _HANN, _FFT))
    results.append(np.log(spectrum @ _MEL_MATRIX + _OFFSET).astype(np.float32))
  return np.concatenate(results)


def row_starts(num_samples: int, fps: float) -> np.ndarray:
  """Returns the first sample of each row of `Extractor.extract_audio`."""
  rows = np.arange(base.num_rows(num_samples, fps))
  return np.rint(rows * (base.SAMPLE_RATE / fps)).astype(np.int64)


@base.EXTRACTORS.register("logmel")
class LogMel(base.Extractor):
  """Mean and standard deviation of the log-mel spectrogram over each second.

      x = [mean_j L_j ; std_j L_j]

  over the windows j that begin in the second and before the sound ends; L as in
  `log_mel`. It has no weights: 64 bands say how loud which tones are, and how much that
  changes.
  """
  name = "logmel"
  modalities = (base.AUDIO,)
  sizes = {base.AUDIO: 2 * NUM_BANDS}
  dtypes = {base.AUDIO: "float16"}

  def extract_audio(self, waveform: np.ndarray, fps: float = 1.0) -> np.ndarray:
    starts = row_starts(len(waveform), fps)
    windows = [np.arange(start, max(end, start + 1), HOP) for start, end in
               zip(starts, [*starts[1:], len(waveform)], strict=False)]
    spectra = log_mel(waveform, np.concatenate([*windows, starts[:0]]))
    rows = np.empty((len(starts), 2 * NUM_BANDS), np.float32)
    at = 0
    for row, own in zip(rows, windows, strict=True):
      part = spectra[at:at + len(own)]
      row[:NUM_BANDS], row[NUM_BANDS:] = part.mean(0), part.std(0)
      at += len(own)
    return rows
