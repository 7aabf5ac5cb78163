# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Log-mel spectra against a twin, and their statistics."""

import numpy as np
import pytest

from tests.helpers import clips
from yt8m.extractors import logmel


def twin(window):
  """Log-mel spectrum of 400 samples: sums in place of a fast transform."""
  n = np.arange(400)
  x = window * (0.5 - 0.5 * np.cos(2 * np.pi * n / 400))
  spectrum = [abs(np.sum(x * np.exp(-2j * np.pi * k * n / 512))) for k in range(257)]

  def mel(hertz):
    return 1127 * np.log(1 + hertz / 700)

  edges = np.linspace(mel(125), mel(7500), 66)
  bands = np.zeros(64)
  for band in range(64):
    low, middle, high = edges[band:band + 3]
    for k in range(1, 257):
      at = mel(k * 16000 / 512)
      if low < at <= middle:
        bands[band] += spectrum[k] * (at - low) / (middle - low)
      elif middle < at < high:
        bands[band] += spectrum[k] * (high - at) / (high - middle)
  return np.log(bands + 0.01)


@pytest.fixture(scope="module")
def noise():
  return np.random.default_rng(0).normal(0, 0.2, 16000).astype(np.float32)


def test_spectra_are_those_of_the_twin(noise):
  starts = np.array([0, 160, 7777])
  spectra = logmel.log_mel(noise, starts)
  assert spectra.shape == (3, 64) and spectra.dtype == np.float32
  for spectrum, start in zip(spectra, starts, strict=True):
    np.testing.assert_allclose(spectrum, twin(noise[start:start + 400]), atol=1e-5)


def test_silence_follows_the_sound(noise):
  [spectrum] = logmel.log_mel(noise, np.array([15900]))
  np.testing.assert_allclose(
      spectrum, twin(np.concatenate([noise[15900:], np.zeros(300)])), atol=1e-5)
  np.testing.assert_allclose(logmel.log_mel(noise, np.array([16000])), np.log(0.01))


def test_many_windows_are_those_of_few(noise, monkeypatch):
  starts = np.arange(0, 16000, 7)
  whole = logmel.log_mel(noise, starts)
  monkeypatch.setattr(logmel, "_BLOCK", 100)
  np.testing.assert_array_equal(logmel.log_mel(noise, starts), whole)


def test_a_tone_is_loudest_in_its_band():
  for hertz in (200, 1000, 6000):
    waveform = clips.tone(1, hertz, 16000)[0]
    [spectrum] = logmel.log_mel(waveform, np.array([800]))
    middles = np.linspace(1127 * np.log(1 + 125 / 700), 1127 * np.log(1 + 7500 / 700), 66)
    band = np.abs(middles[1:-1] - 1127 * np.log(1 + hertz / 700)).argmin()
    assert abs(spectrum.argmax() - band) <= 1


def test_mean_and_deviation_of_each_second(noise):
  waveform = np.concatenate([np.zeros(16000, np.float32), noise, noise[:4000] / 2])
  rows = logmel.LogMel().extract_audio(waveform)
  assert rows.shape == (3, 128) and rows.dtype == np.float32
  spectra = [logmel.log_mel(waveform, np.arange(first, last, 160))
             for first, last in ((0, 16000), (16000, 32000), (32000, 36000))]
  for row, spectrum in zip(rows, spectra, strict=True):
    np.testing.assert_allclose(row[:64], spectrum.mean(0), rtol=1e-6)
    np.testing.assert_allclose(row[64:], spectrum.std(0), rtol=1e-5)
  assert [len(spectrum) for spectrum in spectra] == [100, 100, 25]


@pytest.mark.parametrize(("samples", "fps", "rows"), [
    (0, 1, 0), (1, 1, 1), (16000, 1, 1), (16001, 1, 2), (48000, 2, 6), (48000, 0.5, 2),
    (48000, 0.1, 1), (16000, 2.5, 3), (16000, 30, 30)])
def test_a_row_for_each_interval_that_has_begun(samples, fps, rows):
  waveform = np.random.default_rng(1).normal(0, 0.1, samples).astype(np.float32)
  found = logmel.LogMel().extract_audio(waveform, fps)
  assert found.shape == (rows, 128) and np.isfinite(found).all()
  assert logmel.row_starts(samples, fps).tolist() == [
      round(row * 16000 / fps) for row in range(rows)]
