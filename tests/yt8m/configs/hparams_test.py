# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Hyperparameters of a trained model: which ones commands may change."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import support
from yt8m import models
from yt8m.configs import checkpoints
from yt8m.configs import experiment
from yt8m.configs import hparams
from yt8m.core import feature_spec
from yt8m.core import registry
from yt8m.models import registries
from yt8m.models.classification import binary_relevance
from yt8m.models.layers import variables
from yt8m.synthetic import writer

keras = tf.keras

SPEC = feature_spec.FeatureSpec(("mean_rgb", "mean_audio"), (16, 8), "video")
SHARP = "tests.yt8m.configs.hparams_test:Sharp"


class Sharp(binary_relevance.Logistic):
  """Raises the scores to a power that can be chosen after training."""

  inference_hparams = ("power",)

  def __init__(self, num_classes, power=1.0, slope=1.0, l2_penalty=1e-8, **kwargs):
    super().__init__(num_classes, l2_penalty, **kwargs)
    self.power, self.slope = power, slope

  def call(self, x):
    return super().call(x * self.slope) ** self.power

  def get_config(self):
    return {**super().get_config(), "power": self.power, "slope": self.slope}


@pytest.fixture(autouse=True, scope="module")
def allow_this_module():
  with registry.allow_code([__name__]):
    yield


def trained(classifier=SHARP, **options):
  return experiment.Experiment(models.VideoModel(
      13, SPEC, classifier=classifier, **options).get_config(), 12)


def changed(before, **changes):
  return before.with_hparams(json.dumps({"classifier": changes}))


def test_what_an_option_declares_may_change():
  before = trained()
  after = changed(before, power=3.0)
  assert after.build_model().classifier.power == 3.0
  assert before.model_config["classifier"]["power"] == 1.0
  assert before.with_hparams(None) == before
  # Repeating the trained values is allowed.
  assert changed(before, power=2.0, slope=1).model_config["classifier"]["power"] == 2.0


@pytest.mark.parametrize("head", [SHARP, {"name": SHARP, "slope": 2.0}])
def test_a_head_within_a_head_keeps_the_rest_of_its_config(head):
  before = trained({"name": "hidden", "units": 5, "head": head})
  assert hparams.changeable(before.model_config) == ["classifier.head.power"]
  model = changed(before, head={"power": 3.0}).build_model()
  assert model.classifier.head.power == 3.0
  assert model.classifier.head.slope == (1.0 if head is SHARP else 2.0)
  assert model.classifier.hidden.units == 5


def test_every_modality_and_every_branch_is_changed():
  late = changed(trained(fusion="late2"), power=3.0).build_model()
  assert [head.power for head in late.branches[0].classifiers] == [3.0, 3.0]
  mixture = changed(trained(mixture={"branches": 2}), power=3.0).build_model()
  assert [branch.classifiers[0].power for branch in mixture.branches] == [3.0, 3.0]


@pytest.mark.parametrize("changes, message", [
    ({"classifier": {"head": {"slope": 2.0}}},
     "classifier.head.slope was 1.0 in training and cannot become 2.0 without training "
     "again. This model lets you change: classifier.head.power."),
    ({"classifier": {"units": 6, "power": 2.0}}, "has no hyperparameter power. Valid: "),
    ({"classifier": {"units": 6}}, "classifier.units was 5 in training"),
    ({"classifier": {"head": {"pow": 6}}},
     "has no hyperparameter pow. Valid: l2_penalty, power, slope"),
    ({"classifier": {"head": {"name": "moe"}}}, "classifier.head.name was 'tests"),
    ({"classifier": {"head": "moe"}}, "classifier.head.name was 'tests"),
    ({"normalization": "rms"}, "normalization was 'l2' in training"),
    ({"sampling": {"num_frames": 3}}, "sampling.num_frames was None in training"),
    ({"mixture": {"branches": 3}}, "mixture.branches was None in training"),
    ({"fusion": {"name": "late2"}}, "fusion.name was 'concat' in training"),
    ({"head": {}}, "--hparams has 'head': {}; valid are dictionaries under fusion, aggr"),
    ({"optimizr": {"beta_1": 0.8}}, "of yt8m-train also under label_loss and optimizer"),
], ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict) else "")
def test_other_changes_are_refused(changes, message):
  before = trained({"name": "hidden", "units": 5, "head": SHARP})
  with pytest.raises(ValueError) as error:
    before.with_hparams(json.dumps(changes))
  assert message in str(error.value)


@pytest.mark.parametrize("text", [
    '{"classifier": {"power": NaN}}', '{"classifier": {"head": {"power": [1, 1e400]}}}'])
def test_numbers_that_are_not_finite_are_refused(text):
  with pytest.raises(ValueError, match="has the number (nan|inf): give finite ones"):
    hparams.change({"classifier": "logistic"}, text)


def test_a_setting_that_is_too_large_is_refused():
  with pytest.raises(ValueError, match=r"--set='classifier.power=1e400' has a number"):
    hparams.with_settings(None, ["classifier.power=1e400"])


def test_a_model_without_such_hyperparameters_says_so():
  with pytest.raises(ValueError, match="This model lets you change: nothing"):
    changed(trained("logistic"), l2_penalty=1.0)


@pytest.mark.parametrize("part", sorted(hparams.OPTIONS))
def test_what_options_declare_they_have(part):
  options = hparams.OPTIONS[part]
  for name in options:
    declared = getattr(options[name], "inference_hparams", ())
    assert set(declared) <= set(registries.resolve(options, name)), name


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  """Records, and a training directory."""
  directory = tmp_path_factory.mktemp("chosen")
  writer.write(writer.SampleDataConfig(
      num_videos=60, num_classes=13, max_frames=12, feature_sizes=(16, 8),
      num_shards=1), str(directory / "sample"))
  described = trained({"name": "hidden", "units": 5, "head": SHARP})
  (directory / "model").mkdir()
  described.save(str(directory / "model"))
  keras.utils.set_random_seed(0)
  tf.train.CheckpointManager(
      tf.train.Checkpoint(**variables.checkpoint_parts(described.build_model())),
      str(directory / "model"), max_to_keep=1,
      checkpoint_name=checkpoints.PREFIX).save(checkpoint_number=3)
  return directory


ALLOW = f"--allow_code={__name__}"
CUBED = '--hparams={"classifier": {"head": {"power": 3.0}}}'
SET_CUBED = "--set=classifier.head.power=3.0"


def test_commands_use_what_is_chosen(model, tmp_path):
  pattern = f"{model}/sample/video/validate*.tfrecord"
  scores = {}
  for name, flags in (("plain", []), ("cubed", [CUBED])):
    support.run_command(
        "yt8m.export.inference", f"--train_dir={model}/model", "--top_k=13",
        f"--input_data_pattern={pattern}", f"--output_file={tmp_path}/{name}.csv", ALLOW,
        *flags)
    scores[name] = support.read_submission(tmp_path / f"{name}.csv")
  for video_id, (classes, plain) in scores["plain"].items():
    other_classes, cubed = scores["cubed"][video_id]
    np.testing.assert_array_equal(classes, other_classes)
    np.testing.assert_allclose(cubed, np.asarray(plain) ** 3, atol=2e-6)

  losses = {}
  for name, flags in (("plain", []), ("cubed", [CUBED])):
    support.run_command(
        "yt8m.eval.evaluate", f"--train_dir={model}/model", "--run_once", "--top_k=13",
        f"--eval_data_pattern={pattern}", ALLOW, *flags)
    measured = json.loads(
        support.evaluated(model / "model", "metrics-3.json").read_text())
    losses[name] = measured["avg_loss"]
    assert measured["hparams"] == (flags[0].partition("=")[2] if flags else None)
  assert losses["plain"] != losses["cubed"]


def test_set_is_the_same_as_hparams(model, tmp_path):
  """Also for the record, and for a job that goes on."""
  pattern = f"{model}/sample/video/validate*.tfrecord"
  inference = ("yt8m.export.inference", f"--train_dir={model}/model", "--top_k=13", ALLOW,
               f"--input_data_pattern={pattern}", f"--output_file={tmp_path}/out.csv")
  support.run_command(*inference, CUBED)
  again = support.run_command(*inference, SET_CUBED)
  assert "out.csv is there already: the same command wrote it" in again.stderr
  other = support.run_command(*inference, "--set=classifier.head.power=2.0", check=False)
  assert other.returncode == 1 and "out.csv exists" in other.stderr
  support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={model}/model", "--run_once", "--top_k=13",
      f"--eval_data_pattern={pattern}", ALLOW, SET_CUBED)
  measured = json.loads(support.evaluated(model / "model", "metrics-3.json").read_text())
  assert measured["hparams"] == CUBED.partition("=")[2]
  support.run_command("yt8m.export.export_model", f"--train_dir={model}/model",
                      "--top_k=13", f"--output_dir={tmp_path}/serving", ALLOW, SET_CUBED)
  config = json.loads((tmp_path / "serving" / "assets.extra" / "config.json").read_text())
  assert config["model"]["classifier"]["head"]["power"] == 3.0


def test_an_exported_model_has_what_is_chosen(model, tmp_path):
  support.run_command("yt8m.export.export_model", f"--train_dir={model}/model",
                      "--top_k=13", f"--output_dir={tmp_path}/serving", ALLOW, CUBED)
  config = json.loads((tmp_path / "serving" / "assets.extra" / "config.json").read_text())
  assert config["model"]["classifier"]["head"]["power"] == 3.0
  features = {"mean_rgb": tf.random.stateless_normal([4, 16], [0, 1]),
              "mean_audio": tf.random.stateless_normal([4, 8], [0, 2])}
  answer = tf.saved_model.load(f"{tmp_path}/serving").signatures["predict_features"](
      **features)["predictions"]
  _, at_home, _ = experiment.load(str(model / "model"))
  plain = at_home({"features": features})["predictions"]
  np.testing.assert_allclose(answer, plain ** 3, rtol=1e-5)


def test_a_bad_choice_ends_in_one_clear_line(model):
  process = support.run_command(
      "yt8m.eval.evaluate", f"--train_dir={model}/model", "--run_once",
      f"--eval_data_pattern={model}/sample/video/validate*", ALLOW,
      '--hparams={"classifier": {"units": 9}}',
      check=False)
  assert process.returncode == 1 and "Traceback" not in process.stderr
  assert "cannot become 9 without training again" in process.stderr
