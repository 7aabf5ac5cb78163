# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The built-in tables, `{name: table}`, in the format of a JSON file for --table."""

from yt8m.eval.ablations.tables import classifiers
from yt8m.eval.ablations.tables import options

TABLES = {table["name"]: table for table in (*options.TABLES, *classifiers.TABLES)}
