# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Features of media files as a trained model reads them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from yt8m.core import feature_spec
from yt8m.extracting import decoder
from yt8m.extracting import features
from yt8m.extractors import base
from yt8m.extractors import making


class ModelFeatures:
  """Turns media files into the features that a model was trained on.

  Args:
    spec: Features of the model.
    max_frames: Number of frames of a video that the model reads.
    extractor: Name of the extractor; "" for that of the model.
    weights_dir: Path of the directory with its files of weights, if it needs some.
    missing: What becomes of a file without pictures or sound; one of
      `features.MISSING`.

  Attributes:
    fps: Number of frames a second.

  Raises:
    ValueError: The extractor is not known, or makes other features than the model reads.
  """

  def __init__(self, spec: feature_spec.FeatureSpec, max_frames: int,
               extractor: str = "", weights_dir: str = "",
               missing: str = features.FAIL):
    if spec.is_video_level:
      raise ValueError("This model reads video-level features, and media files give "
                       "frames: name records, or a model of frames.")
    if not (extractor or spec.extractor):
      raise ValueError(
          "The model does not say which extractor made its features, because its records "
          "are not of yt8m-extract: name it with --extractor.")
    name, self.fps = (base.parse_identity(spec.extractor) if spec.extractor
                      else (extractor, 1.0))
    if not extractor and (own := [part for part in name.split(",") if ":" not in part
                                  and part not in base.EXTRACTORS]):
      raise ValueError(
          f"The model was trained on features of {spec.extractor}, and {own[0]} is no "
          "extractor of this library: name its class or file as for yt8m-extract, with "
          "--extractor=my_module:MyExtractor.")
    self._extractor = making.make_extractor(extractor or name, weights_dir)
    self._extractor.quantize(spec.ranges)
    made = self._extractor.spec(self.fps)
    if extractor and spec.extractor not in (None, made.extractor):
      raise ValueError(f"--extractor={extractor} is {made.extractor}, and the model was "
                       f"trained on features of {spec.extractor}: leave --extractor out, "
                       "or name that one.")
    spec.check_extractor(made, "these media files")
    for feature in zip(spec.names, spec.sizes, spec.dtypes, strict=True):
      if feature not in zip(made.names, made.sizes, made.dtypes, strict=True):
        raise ValueError(
            f"The model reads the feature {feature[0]} of {feature[1]} {feature[2]} "
            f"numbers, which the extractor {self._extractor} does not make: name another "
            "--extractor.")
    self._sampling = features.Sampling(self.fps, max_frames, missing)
    self._names = spec.names

  def request(self, path: str) -> decoder.Request:
    """Returns what is decoded of a file."""
    return self._sampling.request(self._extractor, path)

  def extract(self, stream: Iterator[tuple[str, Any]]) -> dict[str, np.ndarray]:
    """Returns the features of the model, (num_frames, size) each.

    Args:
      stream: What a `decoder.Decoder` yields.

    Raises:
      DecodingFailed: The file gives no features, or is damaged.
    """
    found = features.extract(self._extractor, stream, self._sampling)
    return {name: found[name] for name in self._names}
