# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A SavedModel directory of `yt8m-export`: its contract, its bytes, its scores."""

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import Any
from typing import ClassVar

import tensorflow as tf

from yt8m.artifacts import graph_check
from yt8m.artifacts import identity
from yt8m.artifacts import manifest
from yt8m.artifacts import thresholds
from yt8m.core import feature_spec
from yt8m.core import fields
from yt8m.core import files
from yt8m.core import literal_paths
from yt8m.core import registry
from yt8m.core.types import Batch
from yt8m.core.types import Scores
from yt8m.core.vocabulary import Vocabulary
from yt8m.data import reader_base
from yt8m.data import readers

DESCRIPTION = "feature_spec.json"
GRAPH = graph_check.GRAPH
# Signature from arrays of features to scores of all classes.
PREDICT_FEATURES = "predict_features"
# The same of an ensemble, with the scores of its members.
PREDICT_MEMBERS = "predict_members"
# What a SavedModel computes. Its assets.extra only describe how it was made.
_COMPUTED = (GRAPH, "variables", "assets")


@dataclasses.dataclass(frozen=True)
class Contract:
  """What a SavedModel reads and predicts, stored in its `assets/feature_spec.json`.

  Attributes:
    spec: Features of a whole video.
    max_frames: Number of frames of a video that count, from the first on.
    num_classes: Number of classes, C.
  """
  spec: feature_spec.FeatureSpec
  max_frames: int
  num_classes: int

  def save(self, directory: str) -> str:
    """Writes `feature_spec.json` into a directory; returns its path."""
    path = os.path.join(directory, DESCRIPTION)
    files.write_json(path, {**self.spec.to_config(), "max_frames": self.max_frames,
                            "num_classes": self.num_classes})
    return path

  @classmethod
  def load(cls, saved_model: str) -> "Contract":
    """Reads the contract of a SavedModel.

    Raises:
      FileNotFoundError: The SavedModel has none.
      ValueError: The file is not one of ours.
    """
    return files.read_json(
        os.path.join(saved_model, "assets", DESCRIPTION),
        kind="the description of a SavedModel that yt8m-export wrote",
        remedy="Name such a SavedModel, or export the model again",
        parse=cls._parse)

  @classmethod
  def _parse(cls, config: dict[str, Any]) -> "Contract":
    fields.check(config, {"max_frames": fields.COUNT, "num_classes": fields.COUNT})
    return cls(feature_spec.FeatureSpec.from_config(config), config["max_frames"],
               config["num_classes"])

  def reader(self) -> reader_base.Reader:
    """Returns the reader of such records; it pads to the longest video of a batch."""
    padding = {} if self.spec.is_video_level else {"pad_to_max_frames": False}
    return readers.make_reader(
        self.spec, self.num_classes, self.max_frames, of_model=True, **padding)


def check_outside(path: str, flag: str) -> None:
  """Refuses to write into a SavedModel, whose manifest lists all its files.

  Args:
    path: Path that is to be written.
    flag: Name of the flag that it comes from.

  Raises:
    ValueError: A folder above the path, or the path itself, is a SavedModel.
  """
  folder = path if files.is_remote(path) else os.path.realpath(path)
  while folder not in ("", os.path.dirname(folder)):
    if SavedModel(folder).exists:
      raise ValueError(f"{flag}={path} lies in the SavedModel {folder}, whose "
                       f"manifest.json lists all its files: name another {flag}.")
    folder = os.path.dirname(folder)


@dataclasses.dataclass(frozen=True)
class SavedModel:
  """A SavedModel directory, of one model or of an ensemble.

  Nothing is read until it is asked for, and then only once: `verify` and `fingerprint`
  share one pass over the bytes. Two are equal if their directory and name are, whatever
  was read, and a SavedModel can be sent to another process, which reads for itself.

  Attributes:
    directory: Path of the directory, `gs://…` included.
    name: Name in tables, messages and files.
    allow_code: Value of `--allow_code`, which a process that loads the model needs too.
  """
  directory: str
  name: str = ""
  allow_code: tuple[str, ...] = dataclasses.field(
      default_factory=registry.allowed_code, compare=False, repr=False)
  hparams: ClassVar[None] = None  # These were chosen when it was exported.

  @property
  def exists(self) -> bool:
    """Whether there is a SavedModel in the directory, of ours or anyone's."""
    return tf.io.gfile.exists(os.path.join(self.directory, GRAPH))

  def check_exists(self) -> None:
    """Raises FileNotFoundError if there is no SavedModel in the directory."""
    if not self.exists:
      raise FileNotFoundError(f"{self.directory} holds no SavedModel ({GRAPH} is not "
                              "there): export one with yt8m-export.")

  @functools.cached_property
  def contract(self) -> Contract:
    """The contract; errors are those of `Contract.load`."""
    return Contract.load(self.directory)

  @property
  def spec(self) -> feature_spec.FeatureSpec:
    return self.contract.spec

  @property
  def max_frames(self) -> int:
    return self.contract.max_frames

  @property
  def num_classes(self) -> int:
    return self.contract.num_classes

  @property
  def vocabulary(self) -> Vocabulary | None:
    """Names of the classes, if it has any; errors are those of `Vocabulary.load`."""
    return Vocabulary.find(self.directory, self.num_classes)

  @property
  def thresholds(self) -> thresholds.Thresholds | None:
    """Thresholds of the classes, if any; errors are those of `Thresholds.load`."""
    return thresholds.Thresholds.find(self.directory, self.num_classes)

  @property
  def identity(self) -> identity.Identity:
    """What thresholds name it by; errors are those of `identity.load`."""
    # Earlier versions kept none, nor does a model without a checkpoint have one.
    return identity.load(self.directory) or {"model_digest": self.fingerprint}

  @functools.cached_property
  def bytes(self) -> int:
    """Number of bytes of all files of the directory."""
    return files.bytes_on_disk(self.directory)

  @property
  def fingerprint(self) -> str:
    """SHA-256 of what the model computes: its graph, its weights and its assets.

    Raises:
      FileNotFoundError: There is no SavedModel in the directory.
    """
    self.check_exists()
    return self._digests[1]

  def verify(self) -> None:
    """Compares the files with the manifest; errors are those of `manifest.verify`."""
    manifest.verify(self.directory, lambda: self._digests[0])

  def load(self, signature: str | None = None) -> Any:
    """Verifies and loads the SavedModel, if its graph is one that only computes.

    Args:
      signature: Name of a signature that is needed.

    Returns:
      The object that `tf.saved_model.load` returns.

    Raises:
      FileNotFoundError: The directory, or a file that its manifest lists, is missing.
      ValueError: A file is not as the manifest says, the graph is refused
        (`graph_check.check`), or the signature is missing.
    """
    for path in files.files_below(self.directory):
      files.check_regular(path)
    self.verify()
    with registry.allow_code(self.allow_code):
      graph_check.check(self.directory)
    try:
      loaded = tf.saved_model.load(literal_paths.literal(self.directory))
    except Exception as error:  # any, depending on which bytes are damaged
      raise ValueError(f"{self.directory} cannot be loaded ({fields.reason(error)}): "
                       "copy or export the model again.") from error
    if signature and signature not in getattr(loaded, "signatures", ()):
      raise ValueError(f"{self.directory} has no signature {signature}, by which records "
                       "are scored: export the model again, without --mediapipe.")
    return loaded

  def predictor(self, batch_size: int = 0) -> Callable[[Batch], Scores]:
    """Loads the model as a function; errors are those of `load`.

    Args:
      batch_size: Unused, since one graph takes batches of every size.

    Returns:
      A function from a batch of `reader` to scores, (batch_size, num_classes) float32.
    """
    outputs = self._outputs(PREDICT_FEATURES)
    return lambda batch: outputs(batch)["predictions"]

  def member_predictor(self) -> Callable[[Batch], tuple[Scores, Any]]:
    """Loads the model as a function that also returns the scores of members.

    Returns:
      A function from a batch of `reader` to the scores of the model, as `predictor`
      returns them, and to those of its M members, (batch_size, M, num_classes); None for
      a model that is no ensemble, or that an earlier version wrote.
    """
    outputs = self._outputs(PREDICT_FEATURES, PREDICT_MEMBERS)

    def predict(batch: Batch) -> tuple[Scores, Any]:
      found = outputs(batch)
      return found["predictions"], found.get("members")

    return predict

  @functools.cached_property
  def num_members(self) -> int:
    """Number of members whose scores `member_predictor` returns; errors are of `load`."""
    signatures = self.load(PREDICT_FEATURES).signatures
    if PREDICT_MEMBERS not in signatures:
      return 0
    return signatures[PREDICT_MEMBERS].structured_outputs["members"].shape[1]

  def _outputs(self, *names: str) -> Callable[[Batch], dict[str, Any]]:
    """Returns the last of the signatures that exists; the first one must."""
    loaded = self.load(names[0])
    name = next(name for name in reversed(names) if name in loaded.signatures)
    inputs = loaded.signatures[name].structured_input_signature[1]
    self._check_signature(loaded.signatures[name])

    def outputs(batch: Batch) -> dict[str, Any]:
      xs = {**batch["features"], "num_frames": batch["num_frames"]}
      # Looked up here: signatures live only as long as the object that was loaded.
      return loaded.signatures[name](**{name: xs[name] for name in inputs})

    return outputs

  def _check_signature(self, signature: Any) -> None:
    """Compares what is computed with what the description of the model says.

    Raises:
      ValueError: They differ.
    """
    spec, inputs = self.contract.spec, signature.structured_input_signature[1]
    sizes = dict(zip(spec.names, spec.sizes, strict=True))
    found = {name: x.shape[-1] for name, x in inputs.items() if name in sizes}
    scores = signature.structured_outputs.get("predictions")
    if found != sizes or scores is None or scores.shape[-1] != self.num_classes:
      classes = scores.shape[-1] if scores is not None else "no"
      raise ValueError(
          f"{self.directory} reads {found} and gives {classes} classes, but its "
          f"description says {sizes} and {self.num_classes}: copy or export the model "
          "again.")

  def reader(self) -> reader_base.Reader:
    """Returns the reader of the model's records."""
    with registry.allow_code(self.allow_code):
      return self.contract.reader()

  @functools.cached_property
  def _digests(self) -> tuple[dict[str, manifest.File], str]:
    return manifest.read(self.directory, _COMPUTED)

  def __reduce__(self):
    # Another machine must not trust what this one has read.
    return type(self), (self.directory, self.name, self.allow_code)

  def __str__(self) -> str:
    return self.directory
