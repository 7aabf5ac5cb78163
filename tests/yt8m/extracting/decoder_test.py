# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The process that decodes: it may hang, crash, or send anything."""

import contextlib
import os
import signal
import socket
import threading
import time

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers import processes
from yt8m.extracting import decoder
from yt8m.media import frames
from yt8m.media import sound

GIB = 2**30


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
  return clips.write(
      tmp_path_factory.mktemp("clips") / "clip.mkv",
      [clips.moving_square(number / 5) for number in range(25)], fps=5, rate=16000,
      sound=clips.tone(5, rate=16000), audio_codec="pcm_s16le")


@contextlib.contextmanager
def made(timeout_secs=30.0, memory_bytes=4 * GIB):
  one = decoder.Decoder(timeout_secs, memory_bytes)
  try:
    yield one
  finally:
    one.stop()


def serving(monkeypatch, body):
  """Lets decoders run other code than `serve`, with `pipe` and `config`."""
  lines = "\n".join(f"  {line}" for line in body.splitlines())
  monkeypatch.setattr(decoder, "_START", (
      "import sys; sys.path[:] = sys.argv[2:]\n"
      "import json, os, signal, time\n"
      "from multiprocessing import connection\n"
      "import numpy as np\n"
      "from yt8m.extracting import decoder\n"
      "pipe = connection.Connection(int(sys.argv[1]))\n"
      "while True:\n"
      "  config = json.loads(pipe.recv_bytes())\n"
      f"{lines}\n"
      "  decoder._answer(pipe, decoder.Request(**config))\n"))


def shape_of(one, path, **options):
  """Decodes a whole clip; returns the numbers of frames and of samples."""
  items = list(one.decode(decoder.Request(path, 1.0, 300, **options)))
  assert items[-1][0] == decoder.END
  return (sum(len(value) for kind, value in items if kind == decoder.FRAMES),
          sum(len(value) for kind, value in items if kind == decoder.SOUND))


def test_frames_and_sound_are_those_of_this_process(clip):
  with made() as one:
    for options in ({}, {"size": (32, 40)}, {"start": 1.0, "end": 3.0}):
      items = list(one.decode(decoder.Request(clip, 2.0, 300, **options)))
      assert items.pop() == (decoder.END, [])
      kind, waveform = items.pop()
      assert kind == decoder.SOUND
      extent = {name: options[name] for name in ("start", "end") if name in options}
      np.testing.assert_array_equal(waveform, sound.read_waveform(clip, **extent))
      np.testing.assert_array_equal(
          np.concatenate([batch for _, batch in items]),
          np.concatenate([batch for _, batch in frames.read_frames(
              clip, fps=2.0, **options)]))


def test_what_is_wrong_with_a_file_is_said_without_its_name(tmp_path, clip):
  (tmp_path / "text.mp4").write_text("hello")
  with made() as one:
    for path, said in ((tmp_path / "none.mp4", "it does not exist"),
                       (tmp_path / "text.mp4", "it cannot be read as a video or sound")):
      with pytest.raises(decoder.DecodingFailed, match=said):
        shape_of(one, str(path))
    assert shape_of(one, clip) == (5, 80000)


def test_one_of_two_may_be_missing(tmp_path):
  silent = clips.write(tmp_path / "silent.mp4", [clips.solid(clips.RED)] * 25)
  heard = clips.write(tmp_path / "heard.wav", sound=clips.tone(1, rate=16000),
                      rate=16000, audio_codec="pcm_s16le")
  with made() as one:
    with pytest.raises(decoder.DecodingFailed, match="it has no sound"):
      shape_of(one, silent)
    with pytest.raises(decoder.DecodingFailed, match="it has no video"):
      shape_of(one, heard)
    assert shape_of(one, silent, optional=True) == (1, 0)
    assert shape_of(one, heard, optional=True) == (0, 16000)
    assert shape_of(one, silent, sound=False) == (1, 0)


def test_a_file_that_hangs_is_given_up(monkeypatch, clip, tmp_path):
  serving(monkeypatch, 'if config["path"] == "hang":\n  time.sleep(1000)')
  with made(timeout_secs=1.5) as one:
    shape_of(one, clip)
    for _ in range(2):
      began = time.monotonic()
      with pytest.raises(decoder.DecodingFailed, match="takes more than 1.5 s"):
        shape_of(one, "hang")
      assert 1.4 < time.monotonic() - began < 10
      monkeypatch.setattr(one, "_timeout", 30.0)  # A new process must start first.
      assert shape_of(one, clip) == (5, 80000)
      monkeypatch.setattr(one, "_timeout", 1.5)


def test_a_stopped_process_is_killed(clip):
  with made() as one:
    shape_of(one, clip)
    process = one._process
    os.kill(process.pid, signal.SIGSTOP)
    one._timeout = 1.0
    with pytest.raises(decoder.DecodingFailed, match="takes more than 1 s"):
      shape_of(one, clip)
    assert process.poll() == -signal.SIGKILL


def test_time_of_the_caller_does_not_count(clip):
  with made(timeout_secs=30.0) as one:
    shape_of(one, clip)
    one._timeout = 2.0
    items = one.decode(decoder.Request(clip, 1.0, 300))
    next(items)
    time.sleep(2.5)
    assert [kind for kind, _ in items] == [decoder.SOUND, decoder.END]


@pytest.mark.parametrize(("body", "said"), [
    ("os.abort()", "its decoder ended with signal 6"),
    ("os.kill(os.getpid(), 9)", "its decoder ended with signal 9"),
    ("os._exit(3)", "its decoder ended with status 3"),
    ("pipe.close(); time.sleep(1000)", "its decoder ended with no answer"),
    ("pipe.send_bytes(b'no json')", "its decoder sent what is no frame"),
    ("pipe.send_bytes(b'[1]')", "its decoder sent what is no frame"),
    ("pipe.send_bytes(b'[' * 100000)", "its decoder sent what is no frame"),
    ("pipe.send_bytes(b'{}')", "its decoder sent what is no frame"),
    ("pipe.send_bytes(b' ' * 2**21)", "its decoder ended with no answer"),
    ("pipe.send_bytes(b'\"end\"')", "its decoder sent what is no frame"),
    ("pipe.send_bytes(b'{\"kind\": \"end\"}')", "its decoder sent what is no frame"),
    ("pipe.send_bytes(b'{\"kind\": \"end\", \"faults\": 3}')", "sent what is no frame"),
    ("pipe.send_bytes(b'{\"kind\": \"code\", \"shape\": [1]}')\npipe.send_bytes(b'1')",
     "its decoder sent what is no frame"),
    ("decoder._send(pipe, {'kind': 'frames'}, np.zeros((2, 3), np.uint8))",
     "its decoder sent what is no frame"),
    ("decoder._send(pipe, {'kind': 'frames'}, np.zeros((2, 3, 3, 4), np.uint8))",
     "its decoder sent what is no frame"),
    ("decoder._send(pipe, {'kind': 'sound'}, np.zeros((2, 3), np.float32))",
     "its decoder sent what is no frame"),
    ("decoder._send(pipe, {'kind': 'frames'}, np.zeros((9, 4, 4, 3), np.uint8))\n"
     "decoder._send(pipe, {'kind': 'frames'}, np.zeros((9, 4, 4, 3), np.uint8))",
     "its decoder sent what is no frame"),
    ("pipe.send_bytes(b'{\"kind\": \"frames\", \"shape\": [2, 9999999, 999999, 3]}')\n"
     "pipe.send_bytes(b'1')", "its decoder sent what is no frame"),
    ("pipe.send_bytes(b'{\"kind\": \"frames\", \"shape\": [-1]}')\n"
     "pipe.send_bytes(b'1')", "its decoder sent what is no frame"),
    # The half of a message, and nothing after it.
    ("os.write(pipe.fileno(), bytes([0, 0, 1, 0, 65])); time.sleep(1000)",
     "decoding takes more than 2 s"),
    # A child of it holds the connection after its end.
    ("os.fork() and os._exit(3)\ntime.sleep(6)\nos._exit(0)",
     "decoding takes more than 2 s")])
def test_crashes_and_rubbish_are_failures_of_one_file(monkeypatch, clip, body, said):
  lines = "\n".join(f"  {line}" for line in body.splitlines())
  serving(monkeypatch, f'if config["path"] == "bad":\n{lines}')
  monkeypatch.setattr(decoder, "_LAST_SECS", 0.5)
  with made() as one:
    shape_of(one, clip)  # Its start may take longer than the limit.
    one._timeout = 2.0
    with pytest.raises(decoder.DecodingFailed, match=said):
      list(one.decode(decoder.Request("bad", 1.0, 10)))
    one._timeout = 30.0
    assert shape_of(one, clip) == (5, 80000)


def test_memory_has_a_limit(monkeypatch, clip):
  serving(monkeypatch, (
      'if config["path"] == "large":\n  np.ones(2**28)'))
  real = decoder._START
  with made(memory_bytes=2 * GIB) as one:
    monkeypatch.setattr(decoder, "_START", real.replace(
        "pipe = ", "import resource\nlimit = int(os.environ['YT8M_DECODER_BYTES'])\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\npipe = "))
    with pytest.raises(decoder.DecodingFailed, match="its decoder ended with status 1"):
      shape_of(one, "large")
    assert shape_of(one, clip) == (5, 80000)


def test_too_large_a_file_is_said_to_be(tmp_path):
  """By `serve` itself: batches of large frames do not fit into half a GiB."""
  path = clips.write(tmp_path / "large.mp4",
                     [clips.solid(clips.RED, 4096, 2304)] * 12, fps=1)
  small = clips.write(tmp_path / "small.mp4", [clips.solid(clips.RED)] * 5, fps=1)
  with made(memory_bytes=GIB // 2) as one:
    with pytest.raises(decoder.DecodingFailed, match="memory|ended with"):
      shape_of(one, path, sound=False)
    assert shape_of(one, small, sound=False) == (5, 0)


def test_the_child_has_no_tensorflow_and_nothing_of_the_current_folder(
    tmp_path, monkeypatch, clip):
  monkeypatch.chdir(tmp_path)
  for name in ("av", "numpy", "json", "yt8m", "resource"):
    (tmp_path / f"{name}.py").write_text(f"open('{tmp_path}/taken', 'w')\nraise OSError")
  monkeypatch.syspath_prepend("")
  with made() as one:
    assert shape_of(one, clip) == (5, 80000)
    with open(f"/proc/{one._process.pid}/maps") as file:
      assert "tensorflow" not in file.read()
  assert not (tmp_path / "taken").exists()


def test_no_process_is_left(monkeypatch, clip):
  with made() as one:
    items = one.decode(decoder.Request(clip, 5.0, 300))
    next(items)
    pid = one._process.pid
    items.close()  # What it still sends belongs to this file.
    assert not os.path.exists(f"/proc/{pid}")
  with made() as one:
    shape_of(one, clip)
    pid = one._process.pid
  assert not os.path.exists(f"/proc/{pid}") and pid not in processes.descendants(
      os.getpid())


def test_it_ends_with_the_process_that_started_it(monkeypatch, clip):
  """Even in the middle of a file that hangs."""
  monkeypatch.setattr(decoder, "_START", decoder._START.replace(
      "decoder.serve(", "import time; decoder._answer = lambda *_: time.sleep(1000); "
      "decoder.serve("))
  one = decoder.Decoder(30.0, 4 * GIB)
  thread = threading.Thread(target=lambda: pytest.raises(
      decoder.DecodingFailed, shape_of, one, clip))
  thread.start()
  deadline = time.monotonic() + 30
  while one._process is None and time.monotonic() < deadline:
    time.sleep(0.05)
  process = one._process
  time.sleep(2)  # It has begun.
  assert process.poll() is None
  with socket.socket(fileno=os.dup(one._connection.fileno())) as pipe:
    pipe.shutdown(socket.SHUT_RDWR)  # As the end of this process would do.
  assert process.wait(20) == 1
  one.close()
  thread.join()
  one.stop()


def test_closing_ends_what_another_thread_waits_for(monkeypatch, clip):
  serving(monkeypatch, "time.sleep(1000)")
  one, errors = decoder.Decoder(100.0, 4 * GIB), []

  def work():
    try:
      shape_of(one, clip)
    except decoder.DecodingFailed as error:
      errors.append(error)

  thread = threading.Thread(target=work)
  thread.start()
  time.sleep(1)
  one.close()
  thread.join(20)
  assert not thread.is_alive() and len(errors) == 1
  one.stop()
  with pytest.raises(decoder.DecodingFailed, match="stopped"):
    shape_of(one, clip)
