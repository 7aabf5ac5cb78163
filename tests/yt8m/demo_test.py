# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What `yt8m-demo --overwrite` replaces; `make demo` runs the demo itself."""

import os

import pytest
from absl.testing import flagsaver

from tests.helpers import support
from yt8m import demo
from yt8m.artifacts import manifest
from yt8m.core import locks
from yt8m.synthetic import writer


def touch(path):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.touch()


@pytest.fixture
def earlier(tmp_path):
  """The files of a demo that was killed while it trained its second model."""
  root = tmp_path / "demo"
  writer.write(writer.SampleDataConfig(
      num_videos=4, num_classes=13, feature_sizes=(2, 1), num_shards=1), root / "sample")
  for name in ("LstmModel/config.json", "LstmModel/checkpoint",
               "LstmModel/train/events.out.tfevents.1", "DbofModel/config.json",
               "members/LstmModel/saved_model.pb", "members/LstmModel/assets.extra/x",
               "ensemble/ensemble.json", "ensemble/predictions/LstmModel/ids.npy",
               "predictions.csv"):
    touch(root / name)
  manifest.write(str(root / "members" / "LstmModel"))
  return root


def test_an_earlier_demo_is_replaced_if_asked(earlier):
  with pytest.raises(FileExistsError, match="not an empty directory: .*--overwrite"):
    demo.prepare(str(earlier), overwrite=False)
  demo.prepare(str(earlier), overwrite=True)
  assert os.listdir(earlier) == []
  demo.prepare(str(earlier), overwrite=False)


@pytest.mark.parametrize("foreign", [
    "thesis.tex", "sample/thesis.tex", "LstmModel/thesis.tex",
    "LstmModel/eval/thesis.tex", "members/thesis.tex",
    "members/LstmModel/variables/thesis.tex", "serving/thesis.tex", "ensemble/thesis.tex",
    "small-blstm/thesis.tex"])
def test_a_file_of_the_user_is_never_removed(earlier, foreign):
  touch(earlier / foreign)
  with pytest.raises(FileExistsError, match="also holds .*, which no demo has"):
    demo.prepare(str(earlier), overwrite=True)
  assert (earlier / foreign).exists() and (earlier / "predictions.csv").exists()


def test_only_a_demo_is_replaced(tmp_path):
  touch(tmp_path / "sample" / "thesis.tex")
  with pytest.raises(FileExistsError, match="has no sample/ground_truth.npz, so it is "):
    demo.prepare(str(tmp_path), overwrite=True)
  (tmp_path / "link").symlink_to("sample")
  with pytest.raises(FileExistsError, match="symbolic link"):
    demo.prepare(str(tmp_path / "link"), overwrite=True)
  with pytest.raises(ValueError, match="--output_dir is empty"):
    demo.prepare("", overwrite=True)


@pytest.mark.parametrize("drawn", [True, False])
def test_the_end_names_the_picture_only_if_there_is_one(tmp_path, monkeypatch, capsys,
                                                         drawn):
  def shell(command, action="", *arguments):
    if action == "search" and drawn:
      touch(tmp_path / "ensemble" / "search.png")
    return 1.0

  scores = dict.fromkeys(("gap", "map", "avg_hit_at_one", "avg_perr"), 0.5)
  monkeypatch.setattr(demo, "shell", shell)
  monkeypatch.setattr(demo, "prepare", lambda *_: None)
  monkeypatch.setattr(demo, "newest_metrics", lambda _: scores)
  monkeypatch.setattr(demo.files, "bytes_on_disk", lambda _: 1)
  with flagsaver.as_parsed(num_videos="8", overwrite="false"):
    demo.run_all(str(tmp_path))
  text = capsys.readouterr().out
  assert ("search.png" in text) == drawn and "The ensemble: " in text


def test_one_demo_at_a_time(tmp_path):
  output = tmp_path / "demo"
  with locks.hold_output(output, "runs the demo", is_directory=True):
    process = support.run_command(
        "yt8m.demo", f"--output_dir={output}", "--overwrite", check=False)
  assert process.returncode == 1 and not output.exists()
  assert (f"ERROR: {output} is in use: process {os.getpid()}" in process.stderr
          and "name another --output_dir" in process.stderr)
