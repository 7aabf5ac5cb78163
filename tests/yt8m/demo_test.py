# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What `yt8m-demo` does again, and what it replaces; `make demo` runs it whole."""

import os

import pytest
from absl.testing import flagsaver

from tests.helpers import support
from yt8m import demo
from yt8m.artifacts import manifest
from yt8m.core import locks
from yt8m.synthetic import writer

NUM = 4  # videos


def touch(path):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.touch()


@pytest.fixture
def earlier(tmp_path):
  """The files of a demo that was killed while it trained its second model."""
  root = tmp_path / "demo"
  writer.write(writer.SampleDataConfig(
      num_videos=4, num_classes=13, feature_sizes=(2, 1), num_shards=1), root / "sample")
  for name in ("small-netvlad/config.json", "small-netvlad/checkpoint",
               "small-netvlad/train/events.out.tfevents.1", "DbofModel/config.json",
               "members/small-netvlad/saved_model.pb",
               "members/small-netvlad/assets.extra/x",
               "ensemble/ensemble.json", "ensemble/predictions/small-netvlad/ids.npy",
               "predictions.csv"):
    touch(root / name)
  manifest.write(str(root / "members" / "small-netvlad"))
  demo.Steps(str(root / "demo.json"), NUM, {"yt8m-train --model=a": 2.5}).save()
  return root


def test_an_earlier_demo_is_replaced_if_asked(earlier):
  steps = demo.prepare(str(earlier), False, NUM)
  assert steps.seconds == {"yt8m-train --model=a": 2.5}
  assert (earlier / "predictions.csv").exists()
  with pytest.raises(ValueError, match="a demo with --num_videos=4: .*add --overwrite"):
    demo.prepare(str(earlier), False, NUM + 1)
  (earlier / "demo.json").write_text('{"num_videos": 4, "seconds": {"x": "y"}}')
  with pytest.raises(ValueError, match="demo.json is not a note of yt8m-demo"):
    demo.prepare(str(earlier), False, NUM)
  assert demo.prepare(str(earlier), True, NUM).seconds == {}
  assert os.listdir(earlier) == ["demo.json"]
  (earlier / "demo.json").unlink()
  touch(earlier / "predictions.csv")
  with pytest.raises(FileExistsError, match="not an empty directory: .*--overwrite"):
    demo.prepare(str(earlier), False, NUM)


def test_a_command_that_has_ended_is_not_run_again(tmp_path, monkeypatch, capsys):
  ran = []

  def shell(*words):
    if len(ran) == 1:
      raise KeyboardInterrupt
    ran.append(words)
    return 2.0

  monkeypatch.setattr(demo, "shell", shell)
  steps = demo.prepare(str(tmp_path), False, NUM)
  assert steps("yt8m-train", "--model=a b") == 2.0
  with pytest.raises(KeyboardInterrupt):
    steps("yt8m-eval")
  again = demo.prepare(str(tmp_path), False, NUM)
  assert again("yt8m-train", "--model=a b") == 2.0 and len(ran) == 1
  assert "$ yt8m-train '--model=a b'\n(done before)" in capsys.readouterr().out


def test_a_command_whose_output_is_gone_runs_again(tmp_path, monkeypatch):
  ran = []
  monkeypatch.setattr(demo, "shell", lambda *words: ran.append(words) or 1.0)
  steps = demo.prepare(str(tmp_path), False, NUM)
  model = tmp_path / "model"
  for made, count in ((True, 1), (True, 1), (False, 2)):
    model.mkdir(exist_ok=True) if made else model.rmdir()
    steps("yt8m-train", f"--train_dir={model}")
    assert len(ran) == count
  with pytest.raises(ValueError, match="model has not the evaluation .*--overwrite"):
    demo.best_metrics(str(tmp_path / "model"))


@pytest.mark.parametrize("foreign", [
    "thesis.tex", "sample/thesis.tex", "small-netvlad/thesis.tex",
    "small-netvlad/eval/thesis.tex", "members/thesis.tex",
    "members/small-netvlad/variables/thesis.tex", "serving/thesis.tex",
    "ensemble/thesis.tex",
    "small-blstm/thesis.tex"])
def test_a_file_of_the_user_is_never_removed(earlier, foreign):
  touch(earlier / foreign)
  with pytest.raises(FileExistsError, match="also holds .*, which no demo has"):
    demo.prepare(str(earlier), True, NUM)
  assert (earlier / foreign).exists() and (earlier / "predictions.csv").exists()


def test_only_a_demo_is_replaced(tmp_path):
  touch(tmp_path / "sample" / "thesis.tex")
  with pytest.raises(FileExistsError, match="has no demo.json, so it is not a demo"):
    demo.prepare(str(tmp_path), True, NUM)
  (tmp_path / "link").symlink_to("sample")
  with pytest.raises(FileExistsError, match="symbolic link"):
    demo.prepare(str(tmp_path / "link"), True, NUM)
  with pytest.raises(ValueError, match="--output_dir is empty"):
    demo.prepare("", True, NUM)


@pytest.mark.parametrize("drawn", [True, False])
def test_the_end_names_the_picture_only_if_there_is_one(tmp_path, monkeypatch, capsys,
                                                         drawn):
  def shell(command, action="", *arguments):
    if action == "search" and drawn:
      touch(tmp_path / "ensemble" / "search.png")
    return 1.0

  scores = dict.fromkeys(("gap", "map", "avg_hit_at_one", "avg_perr"), 0.5)
  monkeypatch.setattr(demo, "shell", shell)
  monkeypatch.setattr(demo, "best_metrics", lambda _: scores)
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
