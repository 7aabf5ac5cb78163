# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What headers say."""

import pytest

from tests.helpers import clips
from yt8m.media import frames
from yt8m.media import opening
from yt8m.media import probe


def test_video_with_sound(tmp_path):
  path = clips.write(tmp_path / "a.mp4", [clips.solid(clips.RED)] * 50,
                     sound=clips.tone(2, channels=2))
  assert probe.probe(path) == probe.Media(
      "mov,mp4,m4a,3gp,3g2,mj2", 2.0, True, True, 64, 48, 25.0, 44100, 2)


def test_one_of_both(tmp_path):
  silent = probe.probe(clips.write(tmp_path / "a.webm", [clips.solid(clips.RED)] * 5,
                                   codec="libvpx-vp9"))
  assert silent.has_video and not silent.has_audio and silent.channels == 0
  music = probe.probe(clips.write(tmp_path / "a.wav", sound=clips.tone(2, channels=6),
                                  audio_codec="pcm_s16le"))
  assert not music.has_video and (music.width, music.channels) == (0, 6)
  assert music.duration == pytest.approx(2)


def test_cover_of_music_is_no_video(tmp_path):
  av = opening.load_av()
  path = str(tmp_path / "a.mp3")
  with av.open(path, "w") as container:
    sound = container.add_stream("libmp3lame", rate=44100, layout="mono")
    cover = container.add_stream("png", rate=1)
    cover.width, cover.height, cover.pix_fmt = 64, 48, "rgb24"
    container.start_encoding()
    frame = av.VideoFrame.from_ndarray(clips.quadrants(), format="rgb24")
    frame.pts = 0
    container.mux(cover.encode(frame))
    container.mux(cover.encode(None))
    block = av.AudioFrame.from_ndarray(clips.tone(1), format="fltp", layout="mono")
    block.sample_rate, block.pts = 44100, 0
    for part in (block, None):
      container.mux(sound.encode(part))
  with av.open(path) as container:
    assert container.streams.video
  assert not probe.probe(path).has_video and probe.probe(path).has_audio
  with pytest.raises(opening.MediaError, match="has no video"):
    next(frames.read_frames(path))
