# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Every block of docs/python.md runs, one after the other, in one process."""

import re
import subprocess
import sys

import pytest

from tests.helpers import processes
from tests.helpers import support


@pytest.mark.long
def test_every_block_runs(tmp_path):
  page = (support.ROOT / "docs" / "python.md").read_text(encoding="utf-8")
  [shell] = re.findall(r"```sh\nyt8m-sample-data (.*?)```", page, re.DOTALL)
  blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
  assert len(blocks) >= 8
  script = "\n".join(blocks).replace("8501", str(processes.free_ports(1)[0]))
  (tmp_path / "page.py").write_text(script, encoding="utf-8")
  for words in (["-m", "yt8m.sample_data", *shell.split()], ["page.py"]):
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True,
                          text=True, env=support.ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-3000:]
  for text in ("(32, 20, 64) (32,) (32, 20)", "branch (Branch)", "val_gap", "GAP 0.",
               "Signature(features={'rgb': 64, 'audio': 16}", "(3, 20)", "(None, 20)"):
    assert text in done.stdout, (text, done.stdout)
