# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Errors in a command line come at once, without TensorFlow."""

import json
import subprocess
import sys

import pytest
from absl import flags

from tests.helpers import support
from yt8m.core import command_line
from yt8m.core import commands
from yt8m.core import early_errors
from yt8m.core import help_text
from yt8m.core import paths

MISSING = "does not exist: "
CASES = [
    ("train", ["--trian_dir=m"], "Unknown command line flag 'trian_dir'. Did you mean: "
     "train_dir ?"),
    ("train", [], "--train_dir is missing: name the directory of the model."),
    ("train", ["--train_dir=m"],
     "--train_data_pattern is missing: name the records to train on."),
    ("train", ["--train_dir="], "--train_dir is empty: give a path, or leave the flag "
     "out. (Is a shell variable not set?)"),
    ("train", ["--train_dir=m", "--num_epochs=ten"],
     "flag --num_epochs=ten: invalid literal for int() with base 10: 'ten'"),
    ("train", ["--train_dir=m", "--batch_size=0"],
     "flag --batch_size=0: 0 is not a positive integer"),
    ("train", ["--train_dir=m", "--train_data_pattern=/", "--base_learning_rate=nan"],
     "--base_learning_rate=nan must be a finite number."),
    ("train", ["--noframe_features=1"], "--noframe_features=1 does not take an argument"),
    ("train", [f"--{'a' * 3000}"], "A flag has too long a name."),
    ("train", ["--train_dir=m", "--train_data_pattern=/", "--vocabulary=a\nb"],
     f"--vocabulary=a\\nb {MISSING}name a CSV of class names."),
    ("eval.ensemble", ["predict", "search", "--eval_data_pattern=/"],
     "predict and search are several actions: give one at a time."),
    ("train", ["--train_dir=m", "--resume=perhaps"],
     "flag --resume=perhaps: value should be one of <exact|approximate>"),
    ("train", ["--train_dir=m", "--train_data_pattern=no/*.tfrecord"],
     "No file matches 'no/*.tfrecord' (--train_data_pattern)."),
    ("train", ["--train_dir=m", "--train_data_pattern=@no.txt"],
     f"no.txt {MISSING}after @, --train_data_pattern takes a file with one pattern on "
     "each line."),
    ("train", ["--train_dir=m", "--train_data_pattern=/", "--vocabulary=no.csv"],
     f"--vocabulary=no.csv {MISSING}name a CSV of class names."),
    ("train", ["--flagfile=no"],
     "Unable to open flagfile: [Errno 2] No such file or directory: 'no'"),
    ("train", ["--train_dir=m", "word"],
     "Unexpected argument 'word': flags begin with --, as --name=value."),
    ("eval.evaluate", ["--train_dir=no", "--eval_data_pattern=/"],
     f"--train_dir=no {MISSING}name the directory of a trained model."),
    ("eval.evaluate", ["--train_dir=/", "--saved_model=/", "--eval_data_pattern=/"],
     "Give either --train_dir or --saved_model: the model to evaluate."),
    ("eval.ensemble", [],
     "Say what to do, one of predict, search, evaluate. --help shows examples."),
    ("eval.ensemble", ["evaluate", "--eval_data_pattern=/"],
     "--ensemble is missing: name the ensemble.json that search wrote."),
    ("eval.compare", [], "Name training directories. --help shows an example."),
    ("eval.compare", ["no"],
     "Nothing matches 'no': name training directories that exist."),
    ("export.serve", ["--model_dir=no"],
     f"--model_dir=no {MISSING}name a directory that yt8m-export wrote."),
    ("export.inference", ["--check=no.csv"],
     f"--check=no.csv {MISSING}name the CSV to check.")]


def run(folder, module, *words):
  """Runs a command where TensorFlow cannot be imported."""
  (folder / "tensorflow.py").write_text("raise SystemExit('TensorFlow was imported')")
  return subprocess.run(
      [sys.executable, "-m", f"yt8m.{module}", *words], capture_output=True, text=True,
      cwd=folder, env={**support.ENVIRONMENT, "PYTHONPATH": f"{folder}:{support.ROOT}"})


@pytest.mark.parametrize("module, words, error", CASES)
def test_errors_need_no_tensorflow(tmp_path, module, words, error):
  done = run(tmp_path, module, *words)
  assert done.returncode == 1 and not done.stdout
  lines = done.stderr.removesuffix("\n").removesuffix(command_line.HINT)
  assert lines == f"ERROR: {error}"


def test_the_command_itself_says_the_same(tmp_path):
  """As it must where the flags are not kept, such as those of a newer library."""
  code = ("import sys; sys.modules['yt8m.core.early_errors'] = None; "
          "import yt8m.eval.evaluate as command; command.run()")
  for _, words, error in [case for case in CASES if case[0] == "eval.evaluate"]:
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path,
                          capture_output=True, text=True, env=support.ENVIRONMENT)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1 - (command_line.HINT in done.stderr)] == (
        f"ERROR: {error}")


@pytest.mark.parametrize("words", [
    ["--train_dir=m", "--train_data_pattern=/"],
    ["--train_dir=m", "--train_data_pattern=gs://bucket/no*"],
    ["--train_dir=m", "--train_data_pattern=/", "--recipe=x", "--nostart_new_model",
     "--set", "classifier.units=3", "--verbosity=1", "-v", "0"],
    ["--train_dir", "m", "--train_data_pattern", "/", "--undefok=other", "--other=3"],
    ["--train_dir=m", "--train_data_pattern=gs://a/b*,gs://a/c*"],
    ["--train_dir=m", "--train_data_pattern=@list.txt"],
    ["--train_dir=m", "--train_data_pattern=/", "--label_sets=used_at_the_start_only"],
    ["--train_dir=m", "--show_config", "--train_data_pattern=no*"],
    ["--list", "--vocabulary=no.csv"], ["--flagfile=/dev/stdin"],
    ["--helpfull"], ["--describe=my_module:MyLayer"]])
def test_a_command_line_without_errors_starts_the_command(tmp_path, words):
  (tmp_path / "list.txt").write_text("no*\n")
  assert run(tmp_path, "train", *words).stderr == "TensorFlow was imported\n"


def test_errors_are_json_objects_with_log_json(tmp_path):
  done = run(tmp_path, "eval.evaluate", "--log_json")
  line = json.loads(done.stderr)
  assert line["level"] == "ERROR"
  assert line["message"].startswith("Give either --train_dir")


@pytest.mark.parametrize("command", commands.COMMANDS)
def test_kept_flags_are_those_of_help(command):
  with open(f"{help_text.FOLDER}/{command}.json", encoding="utf-8") as file:
    values, _ = early_errors.declare(json.load(file))
  with open(f"{help_text.FOLDER}/{command}.txt", encoding="utf-8") as file:
    shown = [line.strip().removeprefix("--").partition("=")[0] for line in file
             if line.startswith("  --")]
  assert shown and set(shown) <= set(values)


def test_every_kind_of_flag_is_kept():
  values = flags.FlagValues()
  flags.DEFINE_bool("boolean", True, "", values)
  flags.DEFINE_integer("integer", 3, "", 1, flag_values=values)
  flags.DEFINE_float("float", None, "", upper_bound=1, flag_values=values)
  flags.DEFINE_enum("enum", "a", ["a", "b"], "", values)
  flags.DEFINE_list("list", ["x"], "", values)
  flags.DEFINE_multi_string("multi", [], "", values)
  flags.DEFINE_alias("other", "enum", values)
  paths.define("path", "x", "", "name one", values)
  paths.define_pattern("pattern", "", "", values=values)
  syntax = command_line.Syntax(("go",), "", (command_line.Requirement(("path",), "m"),))
  config = json.loads(json.dumps(early_errors.describe(values, syntax)))
  kept, kept_syntax = early_errors.declare(config)
  assert kept_syntax == syntax and set(kept) == set(values)
  assert {name: kept[name].value for name in ("boolean", "integer", "path", "other")} == {
      "boolean": True, "integer": 3, "path": "x", "other": "a"}
  for words in (["--integer=0"], ["--float=2"], ["--enum=c"], ["--other=c"],
                ["--boolean=perhaps"]):
    with pytest.raises(flags.IllegalFlagValueError):
      early_errors.declare(config)[0](["command", *words])
  with pytest.raises(SystemExit, match="--path=no does not exist: name one"):
    syntax.read(kept, ["command", "go", "--path=no"])
