# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""yt8m-compare, as a user types it."""

import json

import pytest

from tests.helpers import small_job
from tests.helpers import support

COMPARE = "yt8m.eval.compare"


@pytest.fixture
def runs(tmp_path):
  for name, rate, gap in (("a", 0.1, 0.5), ("b", 0.2, 0.7)):
    folder = tmp_path / "runs" / name
    small_job.write_model(folder)
    config = json.loads((folder / "config.json").read_text())
    config["flags"] = {"base_learning_rate": rate, "seed": 0, "train_dir": name}
    (folder / "config.json").write_text(json.dumps(config))
    data = folder / "eval" / "validate-01234567"
    data.mkdir(parents=True)
    (data / "metrics.jsonl").write_text("".join(
        json.dumps({"step": step, "gap": value}) + "\n"
        for step, value in ((5, gap), (10, gap - 0.1))))
    (data / "metrics-5.json").write_text('{"num_parameters": 1234}')
  return tmp_path / "runs"


def test_a_table_and_a_picture(runs, tmp_path):
  (runs / "notes").mkdir()
  (runs / "b/best.json").write_text(json.dumps(
      {"format": 1, "step": 10, "metric": "map", "value": 1, "data": "x"}))
  words = (f"{runs}/a", f"{runs}/b", f"{runs}/notes", f"--output_dir={tmp_path}/out")
  first = support.run_command(COMPARE, *words, "--metrics=gap")
  assert "notes is left out: it holds no model" in first.stderr
  title, _, a, b = first.stdout.splitlines()[:4]
  assert title == ("| run | --base_learning_rate | parameters | validate-01234567: step "
                   "| validate-01234567: gap |")
  assert a == "| a | 0.1 | 1,234 | 5 | 0.5000 |"
  assert b == "| b | 0.2 | 1,234 | 10 | 0.6000 |"
  written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
  assert set(written) == {"comparison.md", "comparison.png"}
  support.run_command(COMPARE, *words, "--metrics=gap")
  assert written == {path.name: path.read_bytes()
                     for path in (tmp_path / "out").iterdir()}


def test_many_columns_become_lines(runs):
  output = support.run_command(
      COMPARE, f"{runs}/a", f"{runs}/b", "--metrics=gap,map,ece,brier,log_loss,avg_perr")
  title, rule, rate, *_ = output.stdout.splitlines()
  assert (title, rule) == ("| run | a | b |", "| --- | ---: | ---: |")
  assert rate == "| --base_learning_rate | 0.1 | 0.2 |"
  assert "| validate-01234567: gap | 0.5000 | 0.7000 |" in output.stdout


def test_without_matplotlib_one_line_says_that_the_picture_is_left_out(runs, tmp_path):
  process = support.run_without_matplotlib(
      COMPARE, f"{runs}/a", f"{runs}/b", f"--output_dir={tmp_path}/out")
  [line] = [line for line in process.stderr.splitlines() if "matplotlib" in line]
  assert line.endswith("The picture is left out: matplotlib is missing (pip install "
                       "'yt8m[report]').")
  [document] = (tmp_path / "out").iterdir()
  assert document.name == "comparison.md" and "![" not in document.read_text()


@pytest.mark.parametrize("file, content", [
    ("config.json", '{"flags": 3}'), ("best.json", '{"format": 1, "step": NaN}'),
    ("eval/validate-01234567/metrics.jsonl", '{"step": 1, "gap": NaN}\n'),
    ("eval/validate-01234567/metrics.jsonl", '{"step": 1%s}\n' % (400 * "0")),
    ("eval/validate-01234567/metrics-5.json", '{"num_parameters": "\\u001b[2J"}')])
def test_a_file_of_another_form_is_one_clear_line(runs, file, content):
  (runs / "a" / file).write_text(content)
  failed = support.run_command(COMPARE, f"{runs}/a", f"{runs}/b", check=False)
  assert failed.returncode == 1 and failed.stderr.startswith("ERROR: ")
  assert file in failed.stderr and "Traceback" not in failed.stderr
  assert "\x1b" not in failed.stderr


def test_what_is_missing_is_one_clear_line(runs, tmp_path):
  (runs / "a/eval/validate-01234567/metrics.jsonl").unlink()
  done = support.run_command(COMPARE, f"{runs}/a")
  assert "a has no evaluations" in done.stderr
  (tmp_path / "comparison.md").write_text("precious")
  for words, message in (((), "Name training directories"),
                         ((f"{tmp_path}/no",), "name training directories that exist"),
                         ((f"{tmp_path}",), "No training directory is named"),
                         ((f"{runs}/b", "--metrics=gpa"), "Unknown metric 'gpa'"),
                         ((f"{runs}/b", f"--output_dir={tmp_path}"), "is not replaced")):
    failed = support.run_command(COMPARE, *words, check=False)
    assert failed.returncode == 1 and message in failed.stderr
    assert "Traceback" not in failed.stderr
  assert (tmp_path / "comparison.md").read_text() == "precious"
