# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Large-scale multi-label video classification on pre-extracted features.

One import name for four folders: `yt8m` (data, configuration and training),
`yt8m.models` (layers, models and losses), `yt8m.eval` (metrics, ensembles and
ablations) and `yt8m.export` (prediction, SavedModels and serving).
"""

import importlib as _importlib
import os as _os
import sys as _sys
from typing import Any as _Any

__version__ = "0.1.0"

# An installed package has `models/`, `eval/` and `export/` beside this file
# (setup.py maps them there). In a checkout they stand one level up, so that
# level joins the search path of this package, and of this package only: a
# user's own `models.py` or `eval.py` is never shadowed.
if not _os.path.isdir(_os.path.join(_os.path.dirname(__file__), "models")):
  __path__.append(_os.path.dirname(_os.path.dirname(_os.path.abspath(__file__))))

# A command, `python -m yt8m.train` or a script, can be stopped while it loads TensorFlow.
# A library leaves signals alone.
_PROGRAM = _os.path.basename(getattr(_sys, "argv", [""])[0])
if _PROGRAM == "-m" or _PROGRAM.startswith("yt8m-"):
  from yt8m.core import help_text as _help_text
  _help_text.show_if_asked(__version__)
  from yt8m.core import log_lines as _log_lines
  _log_lines.configure(_sys.argv[1:])
  from yt8m.core import early_errors as _early_errors
  _early_errors.end_if_any()
  from yt8m.core import current_folder as _current_folder
  from yt8m.core import huge_pages as _huge_pages
  _huge_pages.restart_with_huge_pages()
  from yt8m.core import stderr_filter as _stderr_filter
  _stderr_filter.install(_sys.argv[1:], without_ray=_log_lines.is_json())
  from yt8m.core import signals as _signals
  _signals.install()
  _current_folder.keep_out()

# `compile(metrics=["gap"])` finds the metrics and losses by name.
from yt8m.core import keras_names as _keras_names  # noqa: E402

_keras_names.install()

# The Python API: names, and where they are. A part is imported when it is first used, so
# that `import yt8m` does not wait for TensorFlow.
_API = {
    "datasets": "yt8m.api.datasets",
    "evaluate": "yt8m.api.evaluation:evaluate",
    "export_model": "yt8m.api.serving:export_model",
    "load": "yt8m.api.predictor:load",
    "losses": "yt8m.losses",
    "metrics": "yt8m.metrics",
    "serve": "yt8m.api.serving:serve",
    "start_from_labels": "yt8m.api.label_start:start_from_labels",
    "models": "yt8m.models",
}


def __getattr__(name: str) -> _Any:
  if name not in _API:
    raise AttributeError(f"module 'yt8m' has no attribute {name!r}")
  module, _, attribute = _API[name].partition(":")
  found = _importlib.import_module(module)
  return getattr(found, attribute) if attribute else found


def __dir__() -> list[str]:
  return sorted({*globals(), *_API})
