# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""All parsers that are fuzzed. A new parser needs an entry in one of these modules."""

from tests.fuzz import binary_targets
from tests.fuzz import extraction_targets
from tests.fuzz import inspection_targets
from tests.fuzz import json_targets
from tests.fuzz import media_targets
from tests.fuzz import record_targets
from tests.fuzz import segment_targets
from tests.fuzz import server_targets
from tests.fuzz import text_targets
from tests.fuzz import training_targets
from tests.fuzz import tuning_targets

TARGETS = {target.name: target for target in (
    *training_targets.TARGETS, *json_targets.TARGETS, *text_targets.TARGETS,
    *binary_targets.TARGETS, *server_targets.TARGETS, *record_targets.TARGETS,
    *segment_targets.TARGETS, *tuning_targets.TARGETS,
    *inspection_targets.TARGETS, *extraction_targets.TARGETS, *media_targets.TARGETS)}
