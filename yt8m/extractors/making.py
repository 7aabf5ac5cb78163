# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Makes the extractor that `--extractor` names."""

import os

from yt8m.extractors import base
from yt8m.extractors import efficientnet
from yt8m.extractors import inception_pca
from yt8m.extractors import logmel
from yt8m.extractors import model_file
from yt8m.extractors import vggish

DEFAULT = efficientnet.EfficientNetLite0.name
# Importing them registers them.
BUILT_IN = (efficientnet.EfficientNetLite0, logmel.LogMel, inception_pca.InceptionPca,
            vggish.Vggish)


def make_extractor(name: str = DEFAULT, weights_dir: str = "", input_range: str = "0,1"
                   ) -> base.Extractor:
  """Makes an extractor.

  Args:
    name: Registered name, `my_package.my_module:MyExtractor` (which
      `registry.allow_code` must allow), or path of a SavedModel directory or of a
      `.keras` or `.tflite` file. Several, separated by commas, such as
      `"inception-pca,vggish"`, are used together, each for its own features.
    weights_dir: Path of the directory with the files of weights of those that need some.
    input_range: What the pixels of frames become for a model file; one of
      `model_file.RANGES`.

  Raises:
    FileNotFoundError: A file of weights or a model is missing.
    ValueError: A name is unknown, a file is damaged or refused, or two extractors make
      the same feature.
  """
  parts = [_make(part.strip(), weights_dir, input_range) for part in name.split(",")]
  return parts[0] if len(parts) == 1 else base.Combined(parts)


def _make(name: str, weights_dir: str, input_range: str) -> base.Extractor:
  if name in base.EXTRACTORS:
    return base.EXTRACTORS[name](weights_dir=weights_dir)
  if model_file.is_model(name):
    return model_file.ModelFileExtractor(name, input_range)
  if os.path.exists(name) or "/" in name:
    raise FileNotFoundError(
        f"--extractor={name} holds no SavedModel and is no .keras or .tflite file. Name "
        f"a model, or one of: {', '.join(base.EXTRACTORS)}.")
  return base.EXTRACTORS[name](weights_dir=weights_dir)
