# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The Python API: what `import yt8m` offers besides the packages.

`yt8m/__init__.py` names its parts and imports them when they are used.
"""
