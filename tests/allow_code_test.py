# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Files name code of other people: it runs only if --allow_code allows it."""

import json
import os
import subprocess
import sys

import pytest

from tests.helpers import small_job
from tests.helpers import support
from yt8m.artifacts import model_archive
from yt8m.configs import experiment
from yt8m.core import child_processes
from yt8m.core import registry
from yt8m.synthetic import writer

# Importing this module leaves a trace. `Mean` and `Head` are layers, `Loss` is a loss.
OWN_CODE = """
import pathlib
import tensorflow as tf
from yt8m import models
pathlib.Path(__file__).with_suffix(".imported").touch()
class Mean(models.Mean): pass
class Head(models.Logistic): pass
class Loss(tf.keras.losses.Loss):
  def call(self, labels, predictions, label_weights=None):
    return tf.reduce_sum(tf.abs(tf.cast(labels, tf.float32) - predictions), axis=-1)
def function(**kwargs): raise AssertionError("This must not be called.")
"""
FLAGS = ("--frame_features", "--feature_names=rgb,audio", "--feature_sizes=16,8",
         "--num_classes=13", "--max_frames=12", "--batch_size=16", "--max_steps=2",
         "--model=FrameLevelLogisticModel")


@pytest.fixture(scope="module")
def code(tmp_path_factory):
  """A folder with the package `others`, importable here and in commands."""
  folder = tmp_path_factory.mktemp("code")
  (folder / "others").mkdir()
  (folder / "others" / "__init__.py").touch()
  (folder / "others" / "layers.py").write_text(OWN_CODE)
  sys.path.insert(0, str(folder))
  yield folder
  sys.path.remove(str(folder))


def run(code, module, *arguments, check=True):
  """Runs a command; returns its process, and whether it imported `others.layers`."""
  process = support.run_command(module, *arguments, check=check)
  return process, was_imported(code)


def was_imported(code):
  trace = code / "others" / "layers.imported"
  imported = trace.exists()
  trace.unlink(missing_ok=True)
  return imported


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
  directory = tmp_path_factory.mktemp("records")
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=1), str(directory))
  return directory


@pytest.fixture(scope="module")
def train_dir(code, sample, tmp_path_factory):
  """Trained with names that the user types, without --allow_code."""
  train_dir = tmp_path_factory.mktemp("own") / "model"
  _, imported = run(
      code, "yt8m.train", *FLAGS, f"--train_data_pattern={sample}/frame/train*.tfrecord",
      f"--train_dir={train_dir}", "--aggregation=others.layers:Mean",
      '--hparams={"classifier": {"name": "hidden", "units": 3, '
      '"head": "others.layers:Head"}}', "--label_loss=others.layers:Loss")
  assert imported
  return train_dir


@pytest.mark.long
@pytest.mark.parametrize("module, flags", [
    ("yt8m.eval.evaluate",
     ["--run_once", "--top_k=3",
      "--eval_data_pattern={sample}/frame/validate*.tfrecord"]),
    ("yt8m.export.inference",
     ["--input_data_pattern={sample}/frame/test*.tfrecord", "--num_processes=2",
      "--output_file={tmp}/out.csv", "--top_k=3"]),
    ("yt8m.export.export_model", ["--output_dir={tmp}/serving", "--top_k=3"]),
])
def test_commands_need_allow_code_for_what_config_json_names(
    code, sample, train_dir, tmp_path, module, flags):
  flags = [f"--train_dir={train_dir}", *(
      flag.format(sample=sample, tmp=tmp_path) for flag in flags)]
  failed, imported = run(code, module, *flags, check=False)
  assert failed.returncode == 1 and "Traceback" not in failed.stderr
  assert "add --allow_code=others" in failed.stderr and not imported
  _, imported = run(code, module, *flags, "--allow_code=others")
  assert imported


@pytest.mark.parametrize("source", ["--input_model_tgz", "--train_dir"])
@pytest.mark.parametrize("name, options, prefix", [
    ("gzip:GzipFile", {"filename": "thesis.tex", "mode": "wb"}, "gzip"),
    ("others.layers:Mean", {}, "others")])
def test_a_model_of_an_attacker_calls_nothing(code, tmp_path, source, name, options,
                                              prefix):
  thesis, model = tmp_path / "thesis.tex", tmp_path / "model"
  thesis.write_text("precious")
  small_job.write_model(model, level="frame")
  if options:
    options = {**options, "filename": str(thesis)}
  config = json.loads((model / "config.json").read_text())
  config["model"]["aggregation"] = {"name": name, **options}
  (model / "config.json").write_text(json.dumps(config))
  model_archive.pack(model, tmp_path / "model.tgz")
  path = tmp_path / "model.tgz" if source == "--input_model_tgz" else model
  [records] = small_job.write_record_files(tmp_path / "records", [2], "frame")
  failed, imported = run(
      code, "yt8m.export.inference", f"{source}={path}", "--top_k=3",
      f"--input_data_pattern={records}", f"--output_file={tmp_path}/out.csv", check=False)
  assert failed.returncode == 1 and "Traceback" not in failed.stderr
  assert f"add --allow_code={prefix} to the command line" in failed.stderr
  assert not imported and thesis.read_text() == "precious"
  assert sorted(os.listdir(tmp_path)) == ["model", "model.tgz", "records", "thesis.tex"]


@pytest.mark.parametrize("name, flags", [
    ("others.layers:Mean", []),
    ("flags", ["--label_sets=others.layers:Mean"]),
    ("flags", ["--classifier", "others.layers:Mean", "--classifier=logistic"])])
def test_a_name_typed_elsewhere_is_not_that_of_the_flag(code, sample, tmp_path, name,
                                                        flags):
  (tmp_path / name).write_text("--aggregation=others.layers:Mean\n")
  failed, imported = run(
      code, "yt8m.train", *FLAGS, f"--train_data_pattern={sample}/frame/train*.tfrecord",
      f"--train_dir={tmp_path}/model", f"--flagfile={tmp_path}/{name}", *flags,
      check=False)
  assert failed.returncode == 1 and not imported
  assert "add --allow_code=others" in failed.stderr


def test_a_name_in_a_setting(code, tmp_path):
  """What is typed is allowed, what stands in a flag file is not."""
  flags = ("yt8m.train", *FLAGS, f"--train_dir={tmp_path}/model", "--show_config",
           "--classifier=hidden")
  setting = "--set=classifier.head=others.layers:Head"
  _, imported = run(code, *flags, setting, "--set=classifier.units=3")
  assert imported
  (tmp_path / "flags").write_text(f"{setting}\n")
  failed, imported = run(
      code, *flags, f"--flagfile={tmp_path}/flags", "--set=classifier.units=3",
      check=False)
  assert "add --allow_code=others" in failed.stderr and not imported


def test_a_name_in_a_flag_file_is_not_typed(code, sample, tmp_path):
  (tmp_path / "flags").write_text("--aggregation=others.layers:Mean\n")
  flags = (*FLAGS, f"--train_data_pattern={sample}/frame/train*.tfrecord",
           f"--train_dir={tmp_path}/model", f"--flagfile={tmp_path}/flags")
  failed, imported = run(code, "yt8m.train", *flags, check=False)
  assert "add --allow_code=others" in failed.stderr and not imported
  failed, imported = run(code, "yt8m.train", *flags, "--allow_code=other", check=False)
  assert "add --allow_code=others" in failed.stderr and not imported
  _, imported = run(code, "yt8m.train", *flags, "--allow_code=others")
  assert imported
  (tmp_path / "more").write_text("--allow_code=others\n")
  failed, imported = run(
      code, "yt8m.train", *flags, f"--flagfile={tmp_path}/more", check=False)
  assert "--allow_code in a --flagfile does not count" in failed.stderr and not imported
  # No value is one, too, and so is the next argument.
  for typed in (["--allow_code=", *flags], ["--allow_code", "others", *flags]):
    process, _ = run(code, "yt8m.train", *typed, "--show_config", check=False)
    assert "does not count" not in process.stderr
  # The last flag of the file takes the next argument for its value.
  (tmp_path / "last").write_text("--allow_code=others\n--model\n")
  failed, imported = run(
      code, "yt8m.train", *flags, f"--flagfile={tmp_path}/last", "--allow_code=trusted",
      check=False)
  assert "--allow_code in a --flagfile does not count" in failed.stderr and not imported


HEAD, MEAN = "others.layers:Head", "others.layers:Mean"


@pytest.mark.parametrize("model", [
    {"aggregation": MEAN},
    {"fusion": {"name": MEAN}},
    {"classifier": HEAD},
    {"classifier": {"name": "hidden", "head": HEAD}},
    {"classifier": {"name": "hidden", "head": {"name": "gated", "head": HEAD}}},
    {"classifier": {"name": "conditional", "head": {"name": HEAD}}},
    {"fusion": {"name": "differential", "fusion": MEAN}},
    {"fusion": {"name": "late1", "aggregation": {"rgb": {"name": MEAN}}}},
    {"fusion": {"name": "late2", "classifier": {"rgb": {"name": "hidden",
                                                      "head": HEAD}}}},
    {"mixture": {"branches": 2}, "classifier": {"name": "gated", "head": HEAD}},
    {"classifier": "others.layers:function"},
], ids=json.dumps)
def test_a_name_is_found_at_any_depth(model, code, tmp_path):
  config = {"num_classes": 13, "feature_spec": {
      "names": ["rgb", "audio"], "sizes": [16, 8], "level": "frame"},
      "aggregation": "mean", **model}
  (tmp_path / "config.json").write_text(json.dumps(
      {"format": 1, "model": config, "max_frames": 12, "flags": {}}))
  described = experiment.Experiment.load(str(tmp_path))
  with pytest.raises(ValueError, match="add --allow_code=others"):
    described.build_model()
  with registry.allow_code(["others_too"]), pytest.raises(ValueError, match="others"):
    described.build_model()
  assert not was_imported(code) and "others.layers" not in sys.modules


def test_an_ablation_table_allows_no_code(code, monkeypatch, tmp_path):
  (tmp_path / "table.json").write_text(json.dumps({
      "title": "T", "sample_data": {}, "common": {}, "evaluate": {},
      "rows": [{"name": "one", "flags": {"model": "others.layers:Mean"}}]}))
  failed, imported = run(
      code, "yt8m.eval.ablation", f"--table={tmp_path}/table.json",
      f"--output_dir={tmp_path}/out", check=False)
  assert "add --allow_code=others" in failed.stderr + failed.stdout and not imported
  started = []
  monkeypatch.setattr(subprocess, "Popen", lambda words, **options: started.append(words))
  with registry.allow_code(["mine", "yours"]), pytest.raises(AttributeError):
    with open(tmp_path / "log", "w") as log:
      child_processes.Runner(1).run(["yt8m-train", "--allow_code=others"], log)
  assert started[0][-1] == "--allow_code=mine,yours"
