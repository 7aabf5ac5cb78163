# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How `yt8m-predict` shows the best classes of a video: as text, JSON or a CSV.

    {"video": "clip.mp4", "predictions": [
        {"class": 3, "name": "cat", "score": 0.93, "decided": true,
         "seconds": [[0, 12], [40, 55]]}, …]}            in one line

`decided` is there with thresholds, and `seconds` with a timeline. A file that cannot be
read has `"error"` in place of predictions.
"""

import csv
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any
from typing import TextIO

import numpy as np

from yt8m.core import fields


@dataclasses.dataclass(frozen=True)
class Label:
  """One of the best classes of a video.

  Attributes:
    index: Number of the class.
    name: Name of the class.
    score: Score of the class.
    decided: Whether the score reaches the threshold of the class; None without one.
    seconds: Parts of the video that speak for it; None without a timeline.
  """
  index: int
  name: str
  score: np.float32
  decided: bool | None = None
  seconds: Sequence[tuple[float, float]] | None = None


class TextOutput:
  """Shows each video and a line for each of its labels."""

  def __init__(self, file: TextIO = sys.stdout):
    self._file = file

  def write(self, video: str, labels: Sequence[Label], error: str = "") -> None:
    """Shows a video, or what is wrong with it."""
    if error:
      return  # The log has it.
    width = max((len(label.name) for label in labels), default=0)
    lines = [fields.printable(video, 500)]
    for label in labels:
      decided = {None: "", True: "  yes", False: "  no"}[label.decided]
      seconds = "" if label.seconds is None else "  " + ", ".join(
          f"{start:g}-{end:g} s" for start, end in label.seconds)
      lines.append(f"  {label.name:<{width}}  {label.score:.3f}{decided}{seconds}")
    print("\n".join(lines), file=self._file, flush=True)


class JsonOutput:
  """Writes a JSON object a line."""

  def __init__(self, file: TextIO = sys.stdout):
    self._file = file

  def write(self, video: str, labels: Sequence[Label], error: str = "") -> None:
    """Writes a video, or what is wrong with it."""
    content: dict[str, Any] = {"video": video}
    if error:
      content["error"] = error
    else:
      content["predictions"] = [_as_json(label) for label in labels]
    print(json.dumps(content, ensure_ascii=False), file=self._file, flush=True)


def _as_json(label: Label) -> dict[str, Any]:
  content = {"class": label.index, "name": label.name, "score": float(str(label.score)),
             "decided": label.decided, "seconds": label.seconds}
  return {name: value for name, value in content.items() if value is not None}


class CsvOutput:
  """Writes a line for each label of each video."""

  def __init__(self, file: TextIO = sys.stdout):
    self._file = file
    self._writer = csv.writer(file, lineterminator="\n")
    self._writer.writerow(["video", "class", "name", "score", "decided"])

  def write(self, video: str, labels: Sequence[Label], error: str = "") -> None:
    """Writes a video; one that cannot be read has no line."""
    for label in labels:
      decided = "" if label.decided is None else int(label.decided)
      self._writer.writerow([video, label.index, label.name, str(label.score), decided])
    self._file.flush()


OUTPUTS = {"text": TextOutput, "json": JsonOutput, "csv": CsvOutput}
