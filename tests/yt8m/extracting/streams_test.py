# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Several files are decoded ahead, in order, within bounds, and can be stopped."""

import os
import threading
import time

import pytest

from tests.helpers import clips
from tests.helpers import processes
from yt8m.extracting import decoder
from yt8m.extracting import streams

GIB = 2**30


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
  """Clips of 1, 2, … seconds, and in the middle a file that is none."""
  folder, found = tmp_path_factory.mktemp("clips"), []
  for number in range(9):
    path = folder / f"{number}.mp4"
    if number == 4:
      path.write_text("no video")
    else:
      clips.write(path, [clips.solid(clips.RED)] * (5 * (number + 1)), fps=5)
    found.append(str(path))
  return found


def request(path, fps=1.0):
  return decoder.Request(path, fps, 300, sound=False)


def count(stream):
  return sum(len(value) for kind, value in stream if kind == decoder.FRAMES)


@pytest.mark.parametrize("num_processes", [1, 3])
def test_order_and_errors(paths, num_processes):
  with streams.Decoders(num_processes, 30.0, 4 * GIB) as decoders:
    found = []
    for stream in decoders.decode(map(request, paths)):
      try:
        found.append(count(stream))
      except decoder.DecodingFailed:
        found.append(None)
      assert next(stream, None) is None  # And does not wait for more.
  assert found == [1, 2, 3, 4, None, 6, 7, 8, 9]


def test_what_waits_is_bounded(paths, monkeypatch):
  """Neither files nor frames are decoded without end while nobody takes them."""
  begun, put = [], []
  real = decoder.Decoder.decode

  def decode(self, requested):
    begun.append(requested.path)
    for item in real(self, requested):
      put.append(item)
      yield item

  monkeypatch.setattr(decoder.Decoder, "decode", decode)
  with streams.Decoders(2, 30.0, 4 * GIB) as decoders:
    asked = []

    def requests():
      for path in paths[5:] * 5:
        asked.append(path)
        # A frame a batch would be too slow to make: many batches of 32 frames.
        yield request(path, 200.0)

    stream = next(decoders.decode(requests()))
    time.sleep(3)
    assert len(asked) == 3 and len(begun) == 2
    assert len(put) <= 2 * (streams._WAITING + 1)
    kind, _ = next(stream)
    assert kind == decoder.FRAMES


def test_stopping_in_the_middle_leaves_nothing(paths):
  before = threading.active_count()
  decoders = streams.Decoders(3, 30.0, 4 * GIB)
  with pytest.raises(KeyboardInterrupt), decoders:
    for stream in decoders.decode(request(path, 200.0) for path in paths[5:]):
      next(stream)
      assert len([pid for pid in processes.descendants(os.getpid())
                  if "yt8m.extracting" in processes.command(pid)]) >= 1
      raise KeyboardInterrupt
  assert threading.active_count() == before
  assert not [pid for pid in processes.descendants(os.getpid())
              if "yt8m.extracting" in processes.command(pid)]


def test_stopping_does_not_wait_for_a_file_that_hangs(paths, monkeypatch):
  monkeypatch.setattr(decoder, "_START", "import time; time.sleep(1000)")
  with streams.Decoders(2, 1000.0, 4 * GIB) as decoders:
    stream = next(decoders.decode(map(request, paths)))
    time.sleep(1)
    began = time.monotonic()
  assert time.monotonic() - began < 10
  assert not stream._ended


def test_an_unexpected_error_reaches_the_reader(paths, monkeypatch):
  def decode(self, requested):
    raise OSError("no more processes")
    yield

  monkeypatch.setattr(decoder.Decoder, "decode", decode)
  with streams.Decoders(1, 30.0, 4 * GIB) as decoders:
    with pytest.raises(OSError, match="no more processes"):
      next(next(decoders.decode([request(paths[0])])))
