# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The sound of generated clips."""

import numpy as np
import pytest

from tests.helpers import clips
from yt8m.media import opening
from yt8m.media import sound


def loudest(waveform, rate=16000):
  """Frequency with the most energy."""
  spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
  return spectrum.argmax() * rate / len(waveform)


@pytest.mark.parametrize(("name", "codec", "rate", "channels"), [
    ("a.mp4", "aac", 44100, 1), ("a.webm", "libopus", 48000, 2),
    ("a.mp3", "libmp3lame", 44100, 2), ("a.flac", "flac", 16000, 1),
    ("a.wav", "pcm_s16le", 8000, 6), ("a.m4a", "aac", 48000, 6)])
def test_one_channel_of_16_khz(tmp_path, name, codec, rate, channels):
  tone = clips.tone(2, 1000, rate, channels, amplitude=0.2)
  path = clips.write(tmp_path / name, sound=tone, rate=rate, audio_codec=codec)
  waveform = sound.read_waveform(path)
  assert waveform.dtype == np.float32 and waveform.ndim == 1
  assert len(waveform) == pytest.approx(32000, abs=1500)  # codecs add whole blocks
  assert loudest(waveform) == pytest.approx(1000, abs=5)
  amplitude = np.sqrt(2 * np.mean(waveform[4000:28000] ** 2))
  # The sixth channel of AAC is for low tones only.
  expected = 0.2 * 5 / 6 if name == "a.m4a" else 0.2
  assert amplitude == pytest.approx(expected, rel=0.06)
  assert np.abs(waveform).max() <= 1


def test_samples_of_lossless_sound_at_the_same_rate(tmp_path):
  tone = clips.tone(1.5, rate=16000)
  path = clips.write(tmp_path / "a.flac", sound=tone, rate=16000, audio_codec="flac")
  np.testing.assert_allclose(sound.read_waveform(path), tone[0], atol=1e-4)


def test_ranges(tmp_path):
  """A tone a second: 300, 600, …, 3,000 Hz."""
  tones = np.concatenate(
      [clips.tone(1, 300 * (1 + number), 16000) for number in range(10)], axis=1)
  for name, codec in (("a.mka", "flac"), ("a.wav", "pcm_s16le"), ("a.flac", "flac")):
    path = clips.write(tmp_path / name, sound=tones, rate=16000, audio_codec=codec)
    for start, end in ((0, 1), (3, 4), (8, 9), (9, 10)):
      waveform = sound.read_waveform(path, start=start, end=end)
      np.testing.assert_allclose(
          waveform, tones[0, start * 16000:end * 16000], atol=1e-4)
    assert len(sound.read_waveform(path, max_secs=2.5)) == 40000
    assert len(sound.read_waveform(path, start=7.5)) == 40000
    with pytest.raises(opening.MediaError, match="no sound: there is none from 20 s"):
      sound.read_waveform(path, start=20)


def test_sound_that_begins_after_the_pictures(tmp_path):
  path = clips.write(tmp_path / "a.mkv", [clips.solid(clips.RED)] * 75,
                     sound=clips.tone(2, rate=16000), rate=16000, audio_codec="flac",
                     sound_start=1.0)
  waveform = sound.read_waveform(path)
  assert len(waveform) == 48000
  assert not waveform[:16000].any() and np.abs(waveform[16000:16100]).max() > 0.1


def test_a_gap_is_silence(tmp_path):
  av = opening.load_av()
  path = str(tmp_path / "a.mkv")
  tone = clips.tone(1, rate=16000)
  with av.open(path, "w") as container:
    stream = container.add_stream("flac", rate=16000, layout="mono")
    for start in (0, 48000):
      for at in range(0, 16000, 1000):
        block = (tone[:, at:at + 1000] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 16000, start + at
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
  waveform = sound.read_waveform(path)
  np.testing.assert_allclose(waveform[:15000], tone[0, :15000], atol=1e-3)
  assert not waveform[20000:44000].any()
  assert np.abs(waveform[44000:]).max() > 0.4


def test_silent_and_truncated_files(tmp_path):
  path = clips.write(tmp_path / "a.mp4", [clips.solid(clips.RED)] * 25)
  with pytest.raises(opening.MediaError, match="a.mp4 has no sound"):
    sound.read_waveform(path)
  path = clips.write(tmp_path / "a.mkv", sound=clips.tone(5), audio_codec="flac")
  clips.truncate(path, 0.5)
  faults = []
  waveform = sound.read_waveform(path, faults=faults)
  assert 30000 < len(waveform) < 60000
  path = clips.write(tmp_path / "a.mp4", sound=clips.tone(5), first_headers=True)
  clips.truncate(path, 0.5)
  assert 30000 < len(sound.read_waveform(path, faults=faults)) < 60000
  assert "of 5.0 s" in faults[-1]


def test_channels_are_averaged(tmp_path):
  channels = np.concatenate([clips.tone(1, rate=16000), np.zeros((1, 16000))])
  path = clips.write(tmp_path / "a.wav", sound=channels.astype(np.float32), rate=16000,
                     audio_codec="pcm_s16le")
  np.testing.assert_allclose(sound.read_waveform(path), channels[0] / 2, atol=1e-4)


@pytest.mark.parametrize("options", [
    {"rate": 0}, {"max_secs": 0}, {"start": -1}, {"start": 3, "end": 2}])
def test_arguments_out_of_range(options):
  with pytest.raises(ValueError, match="all must be positive"):
    sound.read_waveform("a.mp4", **options)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_wrong_checksum_is_a_fault(tmp_path, share):
  """FFmpeg would decode other samples, and say nothing."""
  path = clips.write(tmp_path / "clip.mkv", sound=clips.tone(4, rate=16000), rate=16000,
                     audio_codec="flac")
  faults = []
  sound.read_waveform(path, faults=faults)
  assert not faults
  content = bytearray((tmp_path / "clip.mkv").read_bytes())
  content[int(share * len(content))] ^= 1
  (tmp_path / "clip.mkv").write_bytes(content)
  sound.read_waveform(path, faults=faults)
  assert faults and "cannot be decoded" in faults[0]
