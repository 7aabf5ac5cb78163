# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""`yt8m-train --list` and `--describe`: every option, its size, and unknown names."""

import re
import subprocess
import sys

import pytest

from tests.helpers import support
from yt8m.core import docstrings
from yt8m.models import registries
from yt8m.training import catalogue
from yt8m.training import describing

KINDS = catalogue.kinds()
FRAMES = ("--frame_features", "--feature_names=rgb,audio", "--feature_sizes=24,8",
          "--num_classes=13")


def run(*flags, check=True):
  """Runs the command without --train_dir, which these flags do not need."""
  return support.run_command("yt8m.train", *flags, check=check)


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_says_what_it_is(kind):
  for name, entry in KINDS[kind].entries.items():
    assert entry.summary, name
    page = describing.page(kind, name)
    # A word of a formula may be longer than a line.
    assert max(map(len, page.splitlines())) <= 90, name
    if kind == "optimizer":  # Keras describes them.
      continue
    described = docstrings.inherited(entry.source).arguments if entry.source else {}
    assert set(entry.parameters) <= set(described), name


def test_hyperparameters_are_those_that_are_checked():
  for kind, options in (("fusion", registries.FUSIONS),
                        ("aggregation", registries.AGGREGATIONS),
                        ("classifier", registries.CLASSIFIERS)):
    for name in options:
      assert set(KINDS[kind].entries[name].parameters) == set(
          registries.resolve(options, name)) - {"name"}


def test_list_has_one_line_for_each_option():
  lines = run("--list").stdout.splitlines()
  assert max(map(len, lines)) <= 90
  for kind, of_kind in KINDS.items():
    start = lines.index(f"{kind} ({of_kind.chosen_by})")
    of_options = lines[start + 1:start + 1 + len(of_kind.entries)]
    assert [line.split()[0] for line in of_options] == list(of_kind.entries)


def test_describe_shows_the_docstring_and_counts_the_parameters():
  text = run("--describe=netvlad", *FRAMES).stdout
  assert "residuals of its frames to learned clusters." in text
  assert "    y_t = W₁ x_t + b₁                 (projection)" in text
  # The description is that of the base class, the default that of the class.
  assert "aggregation.clusters=64  (int)\n      Number of clusters, K." in text
  assert "`VladPooling`: Arandjelović et al. 2016 (arXiv:1511.07247)" in text
  assert "frames (rgb 24, audio 8) and 13 classes, with concat and logistic" in (
      " ".join(text.split()))
  assert max(map(len, text.splitlines())) <= 90


def test_the_count_is_that_of_the_flags():
  def count(*flags):
    text = run(*flags, *FRAMES).stdout
    return int(re.search(r"Parameters: ([\d,]+)", text)[1].replace(",", ""))

  assert count("--describe=moe", '--hparams={"classifier": {"num_mixtures": 3}}') == (
      13 * (32 * 4 + (32 + 1) * 3))
  assert count("--describe=sum", "--model=LstmModel",
               '--hparams={"fusion": {"units": 5}}') == (24 + 8 + 2) * 5
  assert count("--describe=mean") == 0


def test_a_recipe_is_counted_as_a_whole():
  text = run("--describe=MoeModel", "--feature_sizes=24", "--num_classes=13").stdout
  size = 13 * (24 * 3 + (24 + 1) * 2)
  assert f"Parameters of the model: {size:,} (" in text
  assert "vectors (mean_rgb 24) and 13 classes" in text
  assert "  fusion concat: 0 (0.00 MiB)\n" in text
  assert f"  classifier moe: {size:,} (" in text
  # Without flags, the features are those of YouTube-8M.
  text = run("--describe=concat-hidden2048-logistic").stdout
  assert "vectors (mean_rgb 1024, mean_audio 128) and 3,862 classes" in (
      " ".join(text.split()))
  assert "  --set classifier.input_dropout=0.3\n" in text
  assert "  --learning_rate_decay_examples=20000\n" in text


def test_flags_that_do_not_fit_leave_only_the_count_out():
  text = run("--describe=lstm", "--feature_names=mean_rgb").stdout
  assert "Describes a video by the last state of a stack of LSTMs." in text
  assert "train with --frame_features" in " ".join(text.split())


def test_a_name_of_several_kinds_shows_all_or_one():
  both = run("--describe=none").stdout
  assert "normalization none (--normalization)" in both
  assert "averaging none (--weight_averaging)" in both
  one = run("--describe=averaging:none").stdout
  assert "averaging none" in one and "normalization" not in one


def test_a_class_of_the_users_own(tmp_path):
  (tmp_path / "my_module.py").write_text('''
from yt8m.models.aggregation import mean

class Plain(mean.Mean):
  """Averages as I like it.

  Args:
    share: Share of the frames.
  """

  def __init__(self, share: float = 0.5, **kwargs):
    super().__init__(**kwargs)
    self.share = share
''')
  # A fork would have the path of its server.
  process = subprocess.run(
      [sys.executable, "-m", "yt8m.train", "--describe=aggregation:my_module:Plain",
       *FRAMES], capture_output=True, text=True, cwd=support.ROOT,
      env={**support.ENVIRONMENT, "PYTHONPATH": f"{tmp_path}:{support.ROOT}"})
  assert "Averages as I like it." in process.stdout
  assert "aggregation.share=0.5  (float)\n      Share of the frames." in process.stdout


@pytest.mark.parametrize("name, message", [
    ("netvald", r"Unknown option 'netvald' \(--describe\). Close: netvlad, .*Valid:\n"
                r"  recipe: .*\n  aggregation: attention_pooling, "),
    ("fusion:lstm", r"Unknown option 'lstm' .*Valid:\n  fusion: attention, bilinear, "),
    ("fusions:sum", r"Unknown kind 'fusions'. Valid: fusion, "),
])
def test_an_unknown_name_lists_close_and_valid_ones(name, message):
  process = run(f"--describe={name}", check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert re.search(message, process.stderr, re.DOTALL)


def test_without_them_a_directory_is_required():
  process = run(check=False)
  assert process.returncode == 1
  assert "--train_dir is missing: name the directory" in process.stderr


def test_a_kind_that_there_is_not():
  with pytest.raises(ValueError, match="Unknown kind 'agregation'. Valid: aggregation, .*"
                     "--describe=aggregation:agregation:mine:Layer"):
    describing.find("agregation:mine:Layer")
  assert describing.find("aggregation:mean") == [("aggregation", "mean")]
