# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/own_code.md: their code, and their commands as users type them."""

import pathlib
import re
import shlex

from tests.helpers import support
from yt8m.core import commands
from yt8m.synthetic import writer

PAGE = support.ROOT / "docs" / "own_code.md"
FEATURES = ("--frame_features", "--feature_names=rgb,audio", "--feature_sizes=16,8",
            "--num_classes=13", "--max_frames=12", "--batch_size=16")
MODEL = "--model=FrameLevelLogisticModel"


class Example:
  """One section of the page, in a folder with its code and with records.

  Args:
    title: Title of the section.
    folder: Folder to write into.
    monkeypatch: Fixture, by which the code can be imported, here and in commands.
  """

  def __init__(self, title, folder, monkeypatch):
    self.folder = pathlib.Path(folder)
    [self._text] = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE.read_text(),
                              re.DOTALL | re.MULTILINE)
    for code in re.findall(r"^```python\n(.*?)^```", self._text,
                           re.DOTALL | re.MULTILINE):
      name = re.match(r"# (\w+\.py)\n", code)[1]
      (self.folder / name).write_text(code)
    monkeypatch.syspath_prepend(str(self.folder))  # which commands inherit
    # Which the processes that commands start inherit.
    self.environment = {"PYTHONPATH": f"{self.folder}:{support.ROOT}"}
    writer.write(writer.SampleDataConfig(
        num_videos=90, num_classes=13, max_frames=12, feature_sizes=(16, 8),
        num_shards=2), str(self.folder / "records"))
    records = self.folder / "records" / "frame"
    self.train_records = f"--train_data_pattern={records}/train*.tfrecord"
    self.validate_records = f"--eval_data_pattern={records}/validate*.tfrecord"
    self.test_records = f"--input_data_pattern={records}/test*.tfrecord"
    self._more = {
        "yt8m-train": [*FEATURES, self.train_records],
        "yt8m-eval": ["--run_once", "--top_k=3", self.validate_records],
        "yt8m-inference": ["--top_k=3", self.test_records],
        "yt8m-export": ["--top_k=3"]}

  def commands(self):
    """Returns the commands of the section, as lists of words."""
    lines = re.findall(r"^    (?:PYTHONPATH=\. )?(yt8m-.*)",
                       self._text.replace("\\\n", " "), re.MULTILINE)
    return [shlex.split(line) for line in lines]

  def run(self, command, *flags, check=True, environment=None):
    """Runs a command of the section, with further flags in place of its "…"."""
    name, *words = command
    words = [word.replace("=validate*", f"={self.folder}/records/frame/validate*")
             for word in words]
    words = [re.sub(r"^(--(?:train_dir|output_dir|output_file)=)", rf"\1{self.folder}/",
                    word) for word in words if word != "…"]
    # Patterns that are repeated would be added.
    patterns = [word.partition("=")[0] for word in flags if "_data_pattern=" in word]
    words, more = ([word for word in some if word.partition("=")[0] not in patterns]
                   for some in (words, self._more[name]))
    more += flags
    if name == "yt8m-train" and not any(
        word.startswith("--model=") for word in (*words, *flags)):
      more.append(MODEL)
    return support.run_command(commands.COMMANDS[name], *words, *more, check=check,
                               environment={**self.environment, **(environment or {})})
