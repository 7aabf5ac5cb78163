# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Clips with planted labels, and the extractor of docs/your_own_videos.md."""

import pathlib
import re
import shutil
import types

from tests.helpers import clips
from tests.helpers import support
from yt8m.core import vocabulary
from yt8m.extracting import clips as clip_lists
from yt8m.extracting import features
from yt8m.extracting import job as jobs
from yt8m.extracting import splits
from yt8m.extracting import streams

PAGE = support.ROOT / "docs" / "your_own_videos.md"
COLOURS = dict(zip(("red", "green", "blue", "white"), clips.COLOURS, strict=False))
TONES = {"low": 220.0, "high": 1760.0}
SHARES = {"train": 0.8, "validate": 0.1, "test": 0.1}


def code():
  """Returns the module `my_extractors.py` of the page."""
  [text] = re.findall(r"^```python\n(# my_extractors.py\n.*?)^```", PAGE.read_text(),
                      re.DOTALL | re.MULTILINE)
  return text


def colours():
  """Returns the extractor of the page."""
  module = types.ModuleType("my_extractors")
  exec(code(), module.__dict__)
  return module.Colours()


def write_clips(folder, count, secs=(2,)):
  """Writes clips of one colour and one tone each, and `videos.csv`; returns its path."""
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  made, lines = {}, ["path,labels"]
  for number in range(count):
    colour = list(COLOURS)[number % len(COLOURS)]
    tone = list(TONES)[number // len(COLOURS) % len(TONES)]
    kind = colour, tone, secs[number % len(secs)]
    path = folder / f"{number:03d}.mp4"
    if kind in made:
      shutil.copy(made[kind], path)
    else:
      made[kind] = clips.write(
          path, [clips.solid(COLOURS[colour])] * (5 * kind[2]), fps=5, rate=16000,
          sound=clips.tone(kind[2], TONES[tone], 16000), first_headers=True)
    lines.append(f"{path.name},{colour};{tone}")
  (folder / "videos.csv").write_text("\n".join(lines) + "\n")
  return folder / "videos.csv"


def make_job(videos, output_dir, extractor=None, per_shard=3, shares=None, **sampling):
  """Returns the job of a CSV."""
  listed = clip_lists.read(videos)
  labels = clip_lists.class_names(listed)
  names = vocabulary.Vocabulary.of(dict(enumerate(labels)), len(labels))
  return jobs.Job(splits.divide(listed, shares or SHARES), extractor or colours(),
                  features.Sampling(**sampling), names, str(output_dir), per_shard, {})


def run(job, retry_failed=False, num_processes=2, report=lambda done, failed: None,
        timeout_secs=30.0):
  """Does a job."""
  job.prepare()
  with streams.Decoders(num_processes, timeout_secs, 4 * 2**30) as decoders:
    job.run(decoders, retry_failed, report)
  return job


def snapshot(folder):
  """Returns the contents of all files of a directory, by name."""
  folder = pathlib.Path(folder)
  return {str(path.relative_to(folder)): path.read_bytes()
          for path in folder.rglob("*") if path.is_file()}
