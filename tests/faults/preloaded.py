# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Modules that the fork server loads for the trials: all but the commands.

Two commands define flags of one name, so each trial loads its own.
"""

import importlib
import pkgutil

import yt8m
from tests.helpers import preloaded  # noqa: F401, sets the environment

for _package in ("core", "data", "models", "configs", "artifacts", "synthetic",
                 "training", "eval.predictions", "eval.metrics", "eval.blending",
                 "export.prediction", "export.saved_models", "export.submissions"):
  _name = f"{yt8m.__name__}.{_package}"
  for _module in pkgutil.walk_packages(
      importlib.import_module(_name).__path__, f"{_name}."):
    if not _module.name.endswith("ray_runner"):
      importlib.import_module(_module.name)
