# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Media files, and files of weights of PyTorch."""

import collections
import io
import os
import pickle
import tempfile

import numpy as np

from tests.fuzz import target
from tests.helpers import clips
from tests.helpers import torch_files
from yt8m.extractors import torch_file
from yt8m.media import frames
from yt8m.media import opening
from yt8m.media import probe
from yt8m.media import sound

_SECS = 1.2
_CODECS = {"clip.mp4": ("libx264", "aac"), "clip.mkv": ("mpeg4", "flac"),
           "clip.webm": ("libvpx-vp9", "libopus"), "clip.ts": ("libx264", "mp2"),
           "clip.avi": ("mjpeg", "pcm_s16le"), "clip.mov": ("mpeg4", "aac")}


def _clip(name, codec, audio_codec):
  pictures = [clips.moving_square(number / 10) for number in range(round(_SECS * 10))]
  with tempfile.TemporaryDirectory() as folder:
    path = clips.write(
        os.path.join(folder, name), pictures, fps=10, codec=codec, rate=48000,
        audio_codec=audio_codec, sound=clips.tone(_SECS, rate=48000, amplitude=0.01))
    with open(path, "rb") as file:
      return file.read()


def _read(path):
  """What the three functions read; each may refuse what another one takes."""
  media, found, refusals = probe.probe(path), [], []
  for read in (lambda: sum(len(times) for times, _ in frames.read_frames(path, fps=5)),
               lambda: len(sound.read_waveform(path, max_secs=5))):
    try:
      found.append(read())
    except opening.MediaError as error:
      refusals.append(error)
  if not found:
    raise refusals[0]
  return media, found


def _no_verdict(_):
  raise target.NoVerdict


_ARRAYS = {"a.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
           "b": np.array([3], np.int64), "c": np.array(0.5, np.float32)}
_Array = collections.namedtuple("_Array", "storage offset shape strides")


class _Unpickler(pickle.Unpickler):
  """Python's own, for the names that arrays need."""

  def find_class(self, module, name):
    if (module, name) == ("collections", "OrderedDict"):
      return collections.OrderedDict
    if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
      return lambda storage, offset, shape, strides, *_: _Array(
          storage, offset, shape, strides)
    return {("torch", "FloatStorage"): np.float32, ("torch", "LongStorage"): np.int64}[
        module, name]

  def persistent_load(self, pid):
    _, dtype, key, _, size, _ = pid
    return dtype, key, size


def _plain(arrays):
  return {name: (str(array.dtype), array.shape, array.tobytes())
          for name, array in arrays.items()}


def _expected_arrays(data):
  try:
    file = io.BytesIO(data)
    for _ in range(3):
      _Unpickler(file).load()
    described = _Unpickler(file).load()
    values = {}
    sizes = {array.storage[1]: array.storage[::2] for array in described.values()}
    for key in _Unpickler(file).load():
      dtype, size = sizes[key]
      file.read(8)
      values[key] = np.frombuffer(file.read(size * dtype().itemsize), dtype)
    arrays = {}
    for name, array in described.items():
      places = array.offset + sum(
          np.arange(size).reshape([-1] + [1] * (len(array.shape) - 1 - axis)) * stride
          for axis, (size, stride) in enumerate(
              zip(array.shape, array.strides, strict=True)))
      arrays[name] = values[array.storage[1]][places].reshape(array.shape)
  except Exception as error:
    raise target.NoVerdict from error
  return _plain(arrays)


TARGETS = (
    *(target.Target(
        name=f"media: {name}", seeds=[_clip(name, *codecs)], read=_read,
        expected=_no_verdict, file=name, share=0.3) for name, codecs in _CODECS.items()),
    target.Target(
        name="weights (.pth)", seeds=[torch_files.content(_ARRAYS)],
        read=lambda path: _plain(torch_file.read_arrays(path)),
        expected=_expected_arrays, file="weights.pth"),
)
