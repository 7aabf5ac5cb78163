# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""An ensemble returns the weighted mean of its members and has their total size."""

import dataclasses
import json
import os

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from tests.helpers import descriptors
from tests.helpers import serving
from tests.helpers import support
from yt8m import models
from yt8m.artifacts import saved_model
from yt8m.configs import experiment
from yt8m.core import feature_spec
from yt8m.core import files
from yt8m.core.vocabulary import Vocabulary
from yt8m.eval.blending import averaging
from yt8m.eval.blending import ensemble_file
from yt8m.export.saved_models import ensemble as ensemble_model
from yt8m.export.saved_models import writer

CASES = ("recipe-concat-BLSTM-MoE2", "recipe-sum-NetVLAD-C64-MoE4", "fusion-attention")
WEIGHTS = (0.5, 0.3, 0.2)
WEIGHTS_OF_TWO = (0.75, 0.25)
FORMATS = (("float32", "int8", "float16") if hasattr(tf.keras, "StatelessScope")
           else ("float32",) * 3)


@pytest.fixture(scope="module")
def members(tmp_path_factory):
  folder = tmp_path_factory.mktemp("members")
  for case, weight_format in zip(CASES, FORMATS, strict=True):
    serving.save(case, folder / case, weight_format=weight_format)
  return [str(folder / case) for case in CASES]


def load(path):
  return tf.saved_model.load(str(path)).signatures


def member_scores(members, batch, level="frame"):
  """Returns the answers of the members alone, (M, B, C) float64."""
  return np.array([
      load(path)["predict_features"](**serving.arrays(batch, level))["predictions"]
      for path in members], np.float64)


def blended(scores, weights, how, knots):
  """Numpy twin of the equation."""
  weights = np.asarray(weights).reshape(len(scores), 1, -1)
  if how == "logits":
    scores = np.clip(scores, averaging.EPSILON, 1 - averaging.EPSILON)
    return 1 / (1 + np.exp(-(weights * np.log(scores / (1 - scores))).sum(axis=0)))
  if how == "ranks":
    scores = np.array([averaging.apply_knots(s, k)
                       for s, k in zip(scores, knots, strict=True)])
  return (weights * scores).sum(axis=0)


@pytest.fixture(scope="module")
def knots(members):
  scores = member_scores(members, descriptors.batch("frame", rows=30, seed=1))
  return [averaging.rank_knots(of_member) for of_member in scores]


def save(members, output_dir, weights=WEIGHTS, top_k=serving.TOP_K, overwrite=False,
         names=None, warmup_requests=0, rank_knots=None, **attributes):
  ensemble = ensemble_model.from_directories(members, weights, **attributes)
  if rank_knots is not None:
    ensemble = dataclasses.replace(ensemble, members=tuple(
        dataclasses.replace(member, rank_knots=None if x is None else list(map(float, x)))
        for member, x in zip(ensemble.members, rank_knots, strict=True)))
  return ensemble_model.save(
      ensemble, str(output_dir), top_k=top_k, overwrite=overwrite, names=names,
      warmup_requests=warmup_requests)


@pytest.mark.long
def test_a_process_with_tensorflow_alone_serves_every_average(
    members, knots, tmp_path):
  batch = descriptors.batch("frame")
  scores = member_scores(members, batch)
  expected = {}
  for how in averaging.AVERAGINGS:
    save(members, tmp_path / how / "model", averaging=how, rank_knots=knots)
    serving.save_requests(tmp_path / how, batch, "frame")
    expected[how] = blended(scores, WEIGHTS, how, knots)
  serving.answer_elsewhere(tmp_path, expected)
  for how, answers in expected.items():
    serving.assert_answered(tmp_path / how, answers, atol=1e-5)
  assert np.abs(expected["logits"] - expected["probabilities"]).max() > 1e-3
  assert np.abs(expected["ranks"] - expected["probabilities"]).max() > 1e-3


def test_scores_of_members_can_be_read(members, tmp_path):
  save(members, tmp_path / "model")
  batch = descriptors.batch("frame")
  arrays = serving.arrays(batch, "frame")
  signatures = load(tmp_path / "model")
  found = signatures["predict_members"](**arrays)
  np.testing.assert_allclose(found["members"],
                             np.swapaxes(member_scores(members, batch), 0, 1), atol=1e-6)
  np.testing.assert_allclose(
      found["predictions"], signatures["predict_features"](**arrays)["predictions"],
      atol=1e-6)


def test_weights_may_differ_by_class_and_a_batch_may_be_empty(members, tmp_path):
  weights = np.random.default_rng(0).dirichlet(
      np.ones(3), descriptors.NUM_CLASSES).T
  save(members, tmp_path / "model", weights)
  signatures = load(tmp_path / "model")
  batch = descriptors.batch("frame")
  expected = blended(member_scores(members, batch), weights, "probabilities", None)
  serving.assert_answers(signatures, batch, "frame", expected)
  none = tf.nest.map_structure(lambda x: x[:0], batch)
  serving.assert_answers(signatures, none, "frame", expected[:0])


@pytest.mark.parametrize("how", averaging.AVERAGINGS)
def test_one_member_alone_keeps_its_order(members, knots, how, tmp_path):
  save(members[:1], tmp_path / "model", [1.0], averaging=how, rank_knots=knots[:1])
  batch = descriptors.batch("frame")
  [alone] = member_scores(members[:1], batch)
  [answer] = member_scores([tmp_path / "model"], batch)
  order = np.argsort(alone.ravel())
  assert (np.diff(answer.ravel()[order]) >= -1e-7).all()
  if how != "ranks":
    np.testing.assert_allclose(answer, alone, atol=1e-6)


def test_records_are_parsed_once_and_every_weight_is_stored_once(members, tmp_path):
  traced = save(members, tmp_path / "model")
  assert list(traced) == ["serving_default", "predict_full", "predict_features",
                          "predict_members"]
  graph = load(tmp_path / "model")["serving_default"].graph.as_graph_def()

  def parsers(nodes):
    return sum("Parse" in node.op and "Example" in node.op for node in nodes)

  # Each signature is one function of the library and calls no parsing function.
  functions = {f.signature.name: f for f in graph.library.function}
  called, todo = [], [graph.node]
  while todo:
    nodes = todo.pop()
    called.append(parsers(nodes))
    todo += [functions[attribute.func.name].node_def
             for node in nodes for attribute in node.attr.values()
             if attribute.func.name]
  assert sum(called) == 1

  variables = [files.bytes_on_disk(f"{path}/variables") for path in members]
  whole = files.bytes_on_disk(str(tmp_path / "model" / "variables"))
  assert whole <= sum(variables)
  total = sum(map(files.bytes_on_disk, members))
  assert files.bytes_on_disk(str(tmp_path / "model")) <= total


def save_model(path, names, sizes, level="frame", num_classes=6, max_frames=7, seed=0):
  options = {"aggregation": "mean"} if level == "frame" else {}
  model = models.VideoModel(num_classes, feature_spec.FeatureSpec(names, sizes, level),
                            **options).build_variables()
  descriptors.randomize(model, seed)
  writer.save(experiment.Experiment(model.get_config(), max_frames), model,
              str(path), top_k=3)
  return str(path)


def test_members_may_see_other_features_and_fewer_frames(tmp_path):
  audio = save_model(tmp_path / "audio", ("audio",), (4,), max_frames=3)
  both = save_model(tmp_path / "both", ("rgb", "audio"), (8, 4))
  save([audio, both], tmp_path / "model", WEIGHTS_OF_TWO)
  batch = descriptors.batch("frame")
  lengths = {"num_frames": batch["num_frames"]}
  first = load(audio)["predict_features"](audio=batch["features"]["audio"], **lengths)
  second = load(both)["predict_features"](**serving.arrays(batch, "frame"))
  expected = 0.75 * first["predictions"] + 0.25 * second["predictions"]
  serving.assert_answers(load(tmp_path / "model"), batch, "frame", expected.numpy())
  assert json.loads((tmp_path / "model/assets/feature_spec.json").read_text()) == {
      "names": ["audio", "rgb"], "sizes": [4, 8], "level": "frame", "max_frames": 7,
      "num_classes": 6}


def test_members_may_be_of_video_level(tmp_path):
  members = [save_model(tmp_path / str(seed), ("rgb", "audio"), (8, 4), "video",
                        seed=seed) for seed in range(2)]
  names = Vocabulary.of({0: "Game"}, descriptors.NUM_CLASSES)
  save(members, tmp_path / "model", WEIGHTS_OF_TWO, names=names)
  batch = descriptors.batch("video")
  expected = blended(member_scores(members, batch, "video"), WEIGHTS_OF_TWO,
                     "probabilities", None)
  serving.assert_answers(load(tmp_path / "model"), batch, "video", expected)
  assert Vocabulary.find(tmp_path / "model", descriptors.NUM_CLASSES) == names


def test_a_member_may_be_an_ensemble(members, tmp_path):
  save(members[:2], tmp_path / "two", WEIGHTS_OF_TWO)
  save([str(tmp_path / "two"), members[2]], tmp_path / "model", (0.5, 0.5))
  batch = descriptors.batch("frame")
  expected = blended(member_scores(members, batch), (0.375, 0.125, 0.5), "probabilities",
                     None)
  serving.assert_answers(load(tmp_path / "model"), batch, "frame", expected)


def test_it_says_what_it_is_made_of(members, tmp_path):
  save(members, tmp_path / "model", averaging="logits", budget_bytes=2 ** 30,
       scores={"equal_weights": 0.4})
  path = tmp_path / "model/assets.extra/ensemble.json"
  assert json.loads(path.read_text()) == {
      "format": 1, "averaging": "logits", "budget_bytes": 2 ** 30,
      "scores": {"equal_weights": 0.4}, "search": {}, "members": [
          {"name": os.path.basename(member),
           "saved_model": os.path.relpath(member, path.parent),
           "bytes": files.bytes_on_disk(member), "weight": weight,
           "stored_as": weight_format}
          for member, weight, weight_format in zip(
              members, WEIGHTS, FORMATS, strict=True)]}


def test_members_keep_the_names_of_the_search(tmp_path):
  """Without the other candidates, the path v1/blstm alone would be named blstm."""
  paths = [save_model(tmp_path / "members" / name, ("rgb",), (8,)) for name in
           ("v1/blstm", "v1/netvlad", "v2/blstm")]
  candidates = dict(zip(ensemble_model.candidates.names(paths), paths, strict=True))
  assert list(candidates) == ["v1-blstm", "v1-netvlad", "v2-blstm"]
  searched = ensemble_file.EnsembleFile(tuple(
      ensemble_file.Member(saved_model.SavedModel(candidates[name], name), 0.5)
      for name in ("v1-blstm", "v1-netvlad")), search={"candidates": []})
  searched.save(tmp_path / "ensemble.json")
  support.run_command(
      "yt8m.export.export_model", f"--ensemble={tmp_path}/ensemble.json", "--top_k=3",
      f"--output_dir={tmp_path}/model")
  extra = tmp_path / "model/assets.extra"
  exported = ensemble_file.EnsembleFile.load(extra / "ensemble.json")
  assert [member.model for member in exported.members] == [
      member.model for member in searched.members]
  assert exported.weights.tolist() == [0.5, 0.5] and exported.search == {}
  card = (extra / "MODEL_CARD.md").read_text()
  assert "| v1-blstm | 0.5000 |" in card and "| v1-netvlad | 0.5000 |" in card


def test_the_budget_is_kept(members, tmp_path):
  save(members, tmp_path / "model")
  size = files.bytes_on_disk(str(tmp_path / "model"))
  total = sum(map(files.bytes_on_disk, members))
  with pytest.raises(ValueError, match=f"members alone {total:,}, and the budget is "
                                       f"{total // 2:,}. Choose fewer or smaller"):
    save(members, tmp_path / "other", budget_bytes=total // 2)
  before = (tmp_path / "model" / "saved_model.pb").read_bytes()
  with pytest.raises(ValueError, match="the budget is 1,000"):
    save(members, tmp_path / "model", overwrite=True, budget_bytes=1000)
  assert os.listdir(tmp_path) == ["model"]
  assert (tmp_path / "model" / "saved_model.pb").read_bytes() == before
  # Numbers in function names get longer from call to call.
  save(members, tmp_path / "model", overwrite=True, budget_bytes=size + 5000)


@hypothesis.given(
    st.lists(st.sampled_from(np.linspace(0, 1, 9).tolist()), min_size=2, max_size=7),
    st.lists(st.floats(0, 1, width=32, allow_subnormal=False), min_size=1, max_size=9))
def test_ranks_are_those_of_numpy(knots, x):
  knots = np.sort(knots).astype(np.float32)
  x = np.append(x, knots).astype(np.float32)[None]
  np.testing.assert_allclose(
      ensemble_model.interpolate(tf.constant(x), knots),
      averaging.apply_knots(x, knots), atol=1e-6)


def test_the_command(tmp_path):
  export = "yt8m.export.export_model"
  weight_format = FORMATS[1]
  support.run_command(
      export, "--model=FrameLevelLogisticModel", "--untrained", "--num_classes=6",
      "--feature_sizes=8,4", f"--weights={weight_format}", "--top_k=3",
      f"--output_dir={tmp_path}/a")
  save_model(tmp_path / "b", ("rgb", "audio"), (8, 4))
  paths = [f"{tmp_path}/{name}" for name in "ab"]
  sizes = [files.bytes_on_disk(path) for path in paths]
  ensemble = tmp_path / "ensemble.json"
  ensemble_file.EnsembleFile(tuple(
      map(ensemble_file.Member, map(saved_model.SavedModel, paths, "ab"),
          WEIGHTS_OF_TWO)),
      budget_bytes=2 ** 20).save(str(ensemble))

  process = support.run_command(
      export, f"--ensemble={ensemble}", "--top_k=3", f"--output_dir={tmp_path}/c")
  assert f"2 members         {sum(sizes):>13,} bytes" in process.stdout
  assert "predictions float32 (?, 1, 3)" in process.stdout
  batch = descriptors.batch("frame")
  expected = blended(member_scores(paths, batch), WEIGHTS_OF_TWO, "probabilities", None)
  serving.assert_answers(load(tmp_path / "c"), batch, "frame", expected)

  process = support.run_command(
      export, f"--ensemble={ensemble}", "--weights=int8", f"--output_dir={tmp_path}/d",
      check=False)
  assert process.returncode == 1
  assert "--weights says how a model is exported" in process.stderr
