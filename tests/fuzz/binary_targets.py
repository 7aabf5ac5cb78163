# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Archives of models, stores of predictions, and files of label sets."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import zipfile

import numpy as np

from tests.fuzz import mutation
from tests.fuzz import target
from yt8m.artifacts import model_archive
from yt8m.configs import experiment
from yt8m.data import label_sets
from yt8m.eval.predictions import store
from yt8m.models.layers import label_network
from yt8m.training import label_network_cache

_NUM_CLASSES = 9
_SHAPES = label_network.weight_shapes(_NUM_CLASSES, 2)
_ARRAYS = {
    "ids": np.array([b"DiRU", b"PzYl"]),
    "scores": np.array([[0.5, 0.25], [1.0, 0.0]], np.float16),
    "classes": np.array([[3, 1], [8, 0]], np.uint16),
    "label_classes": np.array([1, 3, 8], np.int32),
    "label_sizes": np.array([2, 1], np.int32)}


def _npy(array):
  file = io.BytesIO()
  np.save(file, array)
  return file.getvalue()


# A store is fuzzed as one zip file of its files.
def _pack(contents):
  file = io.BytesIO()
  with zipfile.ZipFile(file, "w") as archive:
    for name, content in sorted(contents.items()):
      archive.writestr(zipfile.ZipInfo(name), content)
  return file.getvalue()


def _unpack(data):
  with zipfile.ZipFile(io.BytesIO(data)) as archive:
    return {name: archive.read(name) for name in archive.namelist()}


def _store():
  contents = {f"{name}.npy": _npy(array) for name, array in _ARRAYS.items()}
  return _pack({"store.json": _described(contents, {
      "format": 1, "num_videos": 2, "num_classes": _NUM_CLASSES, "top_k": 2, "model": "m",
      "records": {"sha256": "0", "parts": ["a.tfrecord"]}, "files": {
          name: {"dtype": array.dtype.str, "shape": array.shape}
          for name, array in _ARRAYS.items()}}), **contents})


def _described(contents, description):
  """A store.json whose sizes and checksums are those of the files, as a forger writes."""
  with contextlib.suppress(AttributeError, TypeError, KeyError):
    for name, entry in description["files"].items():
      if f"{name}.npy" in contents:
        content = contents[f"{name}.npy"]
        entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
  with contextlib.suppress(AttributeError, TypeError):
    description.pop("sha256", None)
    description["sha256"] = hashlib.sha256(
        json.dumps(description, sort_keys=True).encode()).hexdigest()
  return json.dumps(description).encode()


def _mutate_store(rng, data):
  contents = _unpack(data)
  name = rng.choice(["store.json", *contents])
  if rng.random() < 0.1:
    del contents[name]
  elif name == "store.json" and rng.random() < 0.9:
    changed = mutation.of_json(rng, contents[name])
    with contextlib.suppress(ValueError, RecursionError):
      changed = _described(contents, json.loads(changed))
    contents[name] = changed
  else:
    contents[name] = mutation.of_bytes(rng, contents[name])
    if name != "store.json" and rng.random() < 0.7:
      contents["store.json"] = _described(contents, json.loads(contents["store.json"]))
  return _pack(contents)


def _read_store(path):
  directory = os.path.join(os.path.dirname(path), "predictions")
  shutil.rmtree(directory, ignore_errors=True)
  os.mkdir(directory)
  with open(path, "rb") as file:
    for name, content in _unpack(file.read()).items():
      with open(os.path.join(directory, name), "wb") as copy:
        copy.write(content)
  opened = store.PredictionStore.open(directory)
  scores, classes = opened.best(slice(None), 2)
  labels = opened.labels
  return (opened.num_videos, opened.num_classes, opened.top_k, opened.ids.tolist(),
          scores.tolist(), classes.tolist(), labels and labels.classes.tolist(),
          opened.dense_rows(slice(None)).shape)


def _expected_store(data):
  contents = _unpack(data)
  description = json.loads(contents["store.json"].decode())
  arrays = {name: np.load(io.BytesIO(contents[f"{name}.npy"]))
            for name in description["files"]}
  num_videos, num_classes, k = (
      description[name] for name in ("num_videos", "num_classes", "top_k"))
  assert all(type(n) is int and n >= 0 for n in (num_videos, num_classes, k))
  assert arrays["scores"].shape == arrays["classes"].shape == (num_videos, k)
  assert arrays["ids"].shape == (num_videos,) and k <= num_classes
  assert arrays["ids"].dtype.kind == "S" and arrays["scores"].dtype == np.float16
  assert not arrays["classes"].size or arrays["classes"].max() < num_classes
  labels = None
  if "label_classes" in arrays:
    labels = arrays["label_classes"].tolist()
    assert arrays["label_sizes"].sum() == len(labels)
    assert arrays["label_sizes"].shape == (num_videos,)
  return (num_videos, num_classes, k, arrays["ids"].tolist(),
          arrays["scores"][:, :2].tolist(), arrays["classes"][:, :2].tolist(), labels,
          (num_videos, num_classes))


def _label_sets(**others):
  file = io.BytesIO()
  np.savez_compressed(file, **{
      "flat": np.array([1, 3, 8], np.int32), "lens": np.array([2, 1, 0], np.int32),
      **others})
  return file.getvalue()


def _mutate_npz(rng, data):
  if rng.random() < 0.2:
    return mutation.of_bytes(rng, data)
  contents = _unpack(data)
  name = rng.choice(list(contents))
  if rng.random() < 0.1:
    del contents[name]
  else:
    contents[name] = mutation.of_bytes(rng, contents[name])
  return _pack(contents)


def _read_label_sets(path):
  sets = label_sets.LabelSets.load(path, _NUM_CLASSES)
  return (sets.classes.tolist(), sets.sizes.tolist(), len(sets),
          sets.ids is not None and len(sets.ids))


def _expected_label_sets(data):
  with np.load(io.BytesIO(data)) as arrays:
    classes, sizes = arrays["flat"], arrays["lens"]
    num_ids = "ids" in arrays and len(arrays["ids"])
  assert classes.dtype.kind in "iu" and sizes.dtype.kind in "iu"
  classes, sizes, at = classes.tolist(), sizes.tolist(), 0
  for size in sizes:
    one = classes[at:at + size]
    assert len(one) == size and one == sorted(set(one))
    assert all(0 <= label < _NUM_CLASSES for label in one)
    at += size
  assert at == len(classes)
  return classes, sizes, len(sizes), num_ids


def _label_network():
  file = io.BytesIO()
  np.savez(file, *(np.full(shape, 0.5, np.float32) for shape in _SHAPES))
  return file.getvalue()


def _read_label_network(path):
  return [array.tolist() for array in label_network_cache.read(path, _SHAPES)]


def _expected_label_network(data):
  with np.load(io.BytesIO(data)) as arrays:
    found = [arrays[f"arr_{number}"] for number in range(len(_SHAPES))]
  for array, shape in zip(found, _SHAPES, strict=True):
    assert array.shape == shape and array.dtype == np.float32
    assert np.isfinite(array).all()
  return [array.tolist() for array in found]


_MODEL = {"config.json": b"{}", "model.ckpt-9.index": bytes(range(200)),
          "train/events.out.tfevents.1": b"v", "checkpoint": b""}


def _archive(members):
  file = io.BytesIO()
  with tarfile.open(fileobj=file, mode="w") as archive:
    for name, content in members.items():
      member = tarfile.TarInfo(name)
      member.size = len(content)
      archive.addfile(member, io.BytesIO(content))
  return gzip.compress(file.getvalue(), 1, mtime=0)


def _mutate_archive(rng, data):
  if rng.random() < 0.2:
    return mutation.of_bytes(rng, data)
  tar = bytearray(gzip.decompress(data))
  start = 512 * rng.randrange(len(tar) // 512)
  kind = rng.randrange(4)
  if kind == 0:  # the type of a member
    tar[start + 156] = rng.choice(b"0123456789gxLKSVDA\0\xff")
  elif kind == 1:  # its size
    tar[start + 124:start + 136] = rng.choice((
        b"00000000000\0", b"77777777777\0", b"00000001000 ", b"\xff" * 12,
        b"\x80" + b"\0" * 10 + b"\x09", b"-0000000001\0"))
  elif kind == 2:  # its name
    name = rng.choice((b"/etc/x", b"../x", b"a/../../x", b"a\\b", b".", b"", b"a/",
                       b"config.json", b"config.json/x", b"\xff\xfe", b"a" * 100))
    tar[start:start + 100] = name.ljust(100, b"\0")
  else:
    tar = bytearray(mutation.of_bytes(rng, bytes(tar)))
  header = tar[start:start + 512]
  if len(header) == 512 and rng.random() < 0.9:
    header[148:156] = b" " * 8
    tar[start + 148:start + 156] = b"%06o\0 " % sum(header)
  return gzip.compress(bytes(tar), 1, mtime=0)


def _read_archive(path):
  directory = os.path.join(os.path.dirname(path), "model")
  try:
    model_archive.unpack(path, directory, experiment.TRAIN_DIR, 10**6)
    found = {}
    for folder, _, names in os.walk(directory):
      for name in names:
        with open(os.path.join(folder, name), "rb") as file:
          found[os.path.relpath(file.name, directory)] = file.read()
    return sorted(found.items())
  finally:
    shutil.rmtree(directory, ignore_errors=True)
    left = set(os.listdir(os.path.dirname(path))) - {os.path.basename(path)}
    if left:
      raise AssertionError(f"left over: {left}")


def _expected_archive(data):
  files = {}
  with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
    for member in archive:
      name = os.path.normpath(member.name)
      assert not name.startswith(("/", "..")), name
      assert member.isfile() or member.isdir()
      if member.isfile():
        assert name not in files
        files[name] = archive.extractfile(member).read()
  return sorted(files.items())


TARGETS = (
    target.Target(
        name="prediction store", seeds=[_store()], read=_read_store,
        expected=_expected_store, mutate=_mutate_store, file="store.zip",
        names=("predictions",), share=5),
    target.Target(
        name="label sets", read=_read_label_sets, expected=_expected_label_sets,
        seeds=[_label_sets(), _label_sets(ids=np.array(["a", "b", "c"]))],
        mutate=_mutate_npz, file="sets.npz", share=5),
    target.Target(
        name="label network", seeds=[_label_network()], read=_read_label_network,
        expected=_expected_label_network, mutate=_mutate_npz, file="network.npz"),
    target.Target(
        name="model archive", seeds=[_archive(_MODEL)], read=_read_archive,
        expected=_expected_archive, mutate=_mutate_archive, file="model.tgz", share=2),
)
