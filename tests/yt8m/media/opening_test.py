# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Which files are opened, and what is said about the others."""

import builtins
import os
import subprocess
import sys

import pytest

from tests.helpers import clips
from tests.helpers import support
from yt8m.media import frames
from yt8m.media import opening
from yt8m.media import probe
from yt8m.media import sound

CLIP = [clips.solid(clips.RED)] * 25


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
  return clips.write(tmp_path_factory.mktemp("clips") / "clip.mp4", CLIP,
                     sound=clips.tone(1))


def refused(path):
  """The message with which all three functions refuse a file."""
  messages = set()
  for read in (probe.probe, sound.read_waveform,
               lambda path: list(frames.read_frames(path))):
    with pytest.raises(opening.MediaError) as error:
      read(path)
    messages.add(str(error.value))
  [message] = messages
  assert str(path) in message and "\n" not in message
  return message


@pytest.mark.parametrize(("name", "content", "said"), [
    ("clip.mp4", b"", "is empty"),
    ("clip.mp4", b"hello" * 100, "cannot be read as a video or sound"),
    ("clip.mp4", bytes(5000), "cannot be read"),
    ("clip.mp4", b"<html><video src='clip.webm'></html>", "cannot be read"),
    ("clip.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "format that is not read")])
def test_files_that_are_no_media(tmp_path, name, content, said):
  (tmp_path / name).write_bytes(content)
  assert said in refused(tmp_path / name)


def test_things_that_are_no_files(tmp_path, clip):
  assert "does not exist" in refused(tmp_path / "clip.mp4")
  assert "is no file" in refused(tmp_path)
  os.mkfifo(tmp_path / "pipe.mp4")
  assert "is no file" in refused(tmp_path / "pipe.mp4")
  assert "is an address" in refused("http://localhost/clip.mp4")
  for address in ("concat:{}", "subfile,,start,0,end,9,,:{}", "fd:{}"):
    assert "does not exist" in refused(address.format(clip))
  assert "is an address" in refused(f"file:{clip}")


PLAYLISTS = {
    "list.m3u8": "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "list.ffconcat": "ffconcat version 1.0\nfile '{}'\n",
    "list.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
                'type="static"><Period><AdaptationSet><Representation id="0">'
                "<BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "list.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                "m=video 9999 RTP/AVP 96\na=rtpmap:96 H264/90000\n"}


@pytest.mark.parametrize("name", [*PLAYLISTS, "list.mp4"])
def test_playlists_that_name_other_files(tmp_path, clip, name):
  """Under any name: a playlist is known by its content."""
  for text in [PLAYLISTS[name]] if name in PLAYLISTS else PLAYLISTS.values():
    (tmp_path / name).write_text(text.format(clip))
    refused(tmp_path / name)


def test_patterns_are_names(tmp_path, clip):
  """FFmpeg takes such names for lists of pictures."""
  target = tmp_path / "100%d?*.mp4"
  target.write_bytes(open(clip, "rb").read())
  assert probe.probe(target).has_video


def test_limits(monkeypatch, clip):
  monkeypatch.setattr(opening, "MAX_PIXELS", 64 * 48 - 1)
  with pytest.raises(opening.MediaError, match="has frames of 64 x 48 pixels; at most"):
    list(frames.read_frames(clip))
  monkeypatch.setattr(opening, "MAX_PIXELS", 64 * 48)
  assert len(list(frames.read_frames(clip))) == 1
  monkeypatch.setattr(opening, "MAX_STREAMS", 1)
  assert "cannot be read" in refused(clip)


def test_decoder_refuses_frames_larger_than_the_headers_say(tmp_path, monkeypatch):
  """MPEG-TS has no sizes in its headers that a decoder trusts."""
  monkeypatch.setattr(opening, "check_pixels", lambda *_: None)
  path = clips.write(tmp_path / "clip.ts", CLIP)
  monkeypatch.setattr(opening, "MAX_PIXELS", 100)
  with pytest.raises(opening.MediaError):
    list(frames.read_frames(path))


def test_tensorflow_is_not_needed():
  code = ("import sys; from yt8m.media import frames, opening, probe, sound;"
          "opening.load_av(); print('tensorflow' in sys.modules)")
  output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=support.ROOT, check=True)
  assert output.stdout.strip() == "False"


def test_missing_package_is_named(monkeypatch, clip):
  load = builtins.__import__

  def refuse(name, *arguments, **keywords):
    if name == "av":
      raise ImportError("No module named 'av'")
    return load(name, *arguments, **keywords)

  monkeypatch.setattr(builtins, "__import__", refuse)
  for read in (probe.probe, frames.read_frames, sound.read_waveform):
    with pytest.raises(ValueError, match=r"pip install 'yt8m\[media\]'"):
      read(clip)
