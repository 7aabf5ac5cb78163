# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables of classifiers: a small version of the published one, and its tuning.

On YouTube-8M, every head reads the same hidden layer, so that rows differ by the head
alone. Settings are chosen by `classifiers-tuning`, on a split of the training records.
Only `classifiers` uses the records held out for the measurement.
"""

from typing import Any

from yt8m.eval.ablations.tables import options

_CONDITIONAL = {"name": "conditional", "empty_share": 0.7}
_HEADS = {
    "logistic": {"name": "logistic"},
    "class_chain": {"name": "class_chain"},
    "label_powerset": {"name": "label_powerset"},
    "moe-2": {"name": "moe", "num_mixtures": 2},
    "moe-3": {"name": "moe", "num_mixtures": 3},
    "moe-4": {"name": "moe", "num_mixtures": 4},
    "conditional": _CONDITIONAL,
}
# The same settings were tried for every head: units of the hidden layer, and flags.
_TRIALS = {
    "12-epochs": (1024, {"num_epochs": 12, "base_learning_rate": 1e-3}),
    "20-epochs": (1024, {"num_epochs": 20, "base_learning_rate": 1e-3}),
    "12-epochs-wide": (2048, {"num_epochs": 12, "base_learning_rate": 1e-3}),
}

_HELDOUT = "{data}/yt8m/video/heldout/*.tfrecord"
# The last eight shards of `fit`; training uses its first forty.
_LAST = "{data}/yt8m/video/fit/validate004?.tfrecord"
_VIDEOS = {
    "feature_names": "mean_rgb,mean_audio", "feature_sizes": "1024,128",
    "model": "concat-hidden2048-logistic", "batch_size": 256,
    "learning_rate_schedule": "cosine", "warmup_examples": 6000, "log_steps": 50,
    # Class frequencies, label sets and label networks all come from this file.
    "label_sets": "{data}/yt8m/label_sets_980k.npz"}
_SPLIT = {
    "common": {**_VIDEOS,
               "train_data_pattern": "{data}/yt8m/video/fit/validate00[0-3]?.tfrecord",
               "label_sets_exclude": f"{_LAST},{_HELDOUT}"},
    "evaluate": {"eval_data_pattern": _LAST}}


def _head(name, head, trial="20-epochs", evaluate=None, flags=None, **entries):
  """Returns a row on YouTube-8M: a head that reads the hidden layer.

  Args:
    name: Name of the row.
    head: Config of the head.
    trial: Name of its settings.
    evaluate: Hyperparameters of the head that the evaluation changes.
    flags: Further flags of the training.
    **entries: Further entries of the row.
  """
  units, trial_flags = _TRIALS[trial]
  hparams = {"classifier": {"units": units, "head": head}}
  row = {"name": name, "flags": {**trial_flags, **(flags or {}), "hparams": hparams},
         **entries}
  if evaluate:
    row["evaluate"] = {"hparams": {"classifier": {"head": evaluate}}}
  return row


def _published(gap) -> dict[str, Any]:
  return {"figures": {"GAP, published": f"{gap:.4f}"}}


def _scheme(name, evaluate=None, flags=None, **hparams):
  """Returns a row of `conditional-schemes`, which changes some hyperparameters."""
  return _head(name, {**_CONDITIONAL, **hparams}, "12-epochs", evaluate, flags)


_BAL_TRAIN = "{data}/audioset/bal_train/bal_train"
_AUDIOSET_HEADS = {
    **{name: head for name, head in _HEADS.items() if name != "moe-3"},
    # There are 22,160 label sets instead of a million, so more passes are needed.
    "conditional": {**_CONDITIONAL, "pretraining_epochs": 10}}


def _clip_row(name, aggregation, head, paired_with="logistic", evaluate=None):
  """Returns a row on AudioSet: a head behind an aggregation."""
  config = _AUDIOSET_HEADS[head]
  row = {"name": f"{aggregation}+{name}", "paired_with": f"{aggregation}+{paired_with}",
         "flags": {"model": f"small-{aggregation}", "classifier": config["name"],
                   "hparams": {"classifier": config}}}
  if evaluate:
    row["evaluate"] = {"hparams": {"classifier": evaluate}}
  return row


TABLES = (
    {"name": "classifiers",
     "title": "Classifiers on real YouTube-8M videos",
     "note": (
         "Trained on the 13,998 videos of `fit`, evaluated on the 3,501 of `heldout`. "
         "Every head reads a hidden layer of 1,024 units. Each head was trained with "
         "three settings on a split of `fit` (`classifiers-tuning`), and the table shows "
         "the best one. The label network of `conditional` is the same in all three "
         "runs, because its seed is a hyperparameter. The published figures "
         "(Kim et al. 2018, ECCV Workshops) are for the full data: compare differences, "
         "not values."),
     "common": {**_VIDEOS, "train_data_pattern": "{data}/yt8m/video/fit/*.tfrecord",
                "label_sets_exclude": _HELDOUT},
     "evaluate": {"eval_data_pattern": _HELDOUT},
     "paired_with": "moe-4",
     # In the order of the published table.
     "rows": [
         _head("logistic", _HEADS["logistic"], **_published(0.7942)),
         _head("class_chain", _HEADS["class_chain"], **_published(0.795)),
         _head("label_powerset", _HEADS["label_powerset"], "12-epochs"),
         *(_head(f"moe-{k}", _HEADS[f"moe-{k}"], **_published(gap))
           for k, gap in ((2, 0.8282), (3, 0.8296), (4, 0.8305))),
         *(_head(f"conditional-{k}", _CONDITIONAL, evaluate={"num_steps": k},
                 **_published(gap))
           for k, gap in enumerate((0.8385, 0.8398, 0.8407, 0.8410, 0.8403), start=1))]},

    {"name": "classifiers-tuning",
     "title": "Settings of the classifiers, on a split of the records to train on",
     "note": (
         "Trained on the first forty shards of `fit`, evaluated on its last eight. MoE 3 "
         "and 4 take the settings of MoE 2."),
     **_SPLIT,
     "rows": [_head(f"{head}-{trial}", _HEADS[head], trial)
              for head in ("logistic", "class_chain", "label_powerset", "moe-2",
                           "conditional") for trial in _TRIALS]},

    {"name": "conditional-schemes",
     "title": "Ways to train and to run conditional inference, on a split of the records "
              "to train on",
     "note": (
         "Trained on the first forty shards of `fit`, evaluated on its last eight, with "
         "the settings that were tried first for every head. `scores` is the head of the "
         "table of classifiers. Rows that only observe in another way are the same "
         "models."),
     **_SPLIT,
     "paired_with": "logistic",
     "rows": [
         _head("logistic", _HEADS["logistic"], "12-epochs"),
         _scheme("scores"),
         _scheme("scores-1-step", evaluate={"num_steps": 1}),
         _scheme("scores-10-labels-a-step", evaluate={"labels_per_step": 10}),
         _scheme("labels-1-a-step", evaluate={
             "observation": "labels", "labels_per_step": 1, "min_confidence": 0.5}),
         _scheme("labels-above-0.5", evaluate={
             "observation": "labels", "min_confidence": 0.5}),
         _scheme("empty-share-0.3", empty_share=0.3),
         _scheme("empty-share-0.9", empty_share=0.9),
         _scheme("no-sampling", sampling="none"),
         _scheme("curriculum", sampling="curriculum", curriculum_steps=500),
         _scheme("coupling-0.5", coupling=0.5),
         _scheme("trained-on", train_label_network=True),
         _scheme("not-pretrained", train_label_network=True, pretraining_epochs=0),
         _scheme("own-label-sets", pretraining_epochs=10,
                 flags={"label_sets": "", "label_sets_exclude": ""}),
         _scheme("moe-2", head=_HEADS["moe-2"])]},

    {"name": "classifiers-audioset",
     "title": "Classifiers behind two frame-level aggregations, on AudioSet",
     "note": (
         "Trained on the 22,160 clips of `bal_train`, evaluated on the 6,111 of `eval`. "
         "Every row has the training flags of *Every option on AudioSet* "
         "(docs/options.md), so no row was tuned individually, except that the "
         "`evidence_weight` of the rows with `weight-0.2` was chosen on a split of "
         "`bal_train` (`conditional-weights-audioset`). The only label sets are those of "
         "`bal_train`."),
     "common": options.AUDIOSET, "evaluate": options.AUDIOSET_EVALUATE,
     "rows": [row for aggregation in ("netvlad", "gru") for row in (
         *(_clip_row(head, aggregation, head) for head in _AUDIOSET_HEADS
           if head != "conditional"),
         *(_clip_row(f"conditional-{k}", aggregation, "conditional",
                     evaluate={"num_steps": k}) for k in (1, 2, 4)),
         *(_clip_row(f"conditional-{k}-weight-0.2", aggregation, "conditional",
                     evaluate={"num_steps": k, "evidence_weight": 0.2})
           for k in (2, 4)))]},

    {"name": "conditional-weights",
     "title": "The weight of the evidence, on a split of real YouTube-8M videos",
     "note": (
         "Four steps. Trained on the first forty shards of `fit`, evaluated on its last "
         "eight."),
     **_SPLIT,
     "paired_with": "weight-0",  # with which the steps change nothing
     "rows": [_head(f"weight-{weight}", _CONDITIONAL,
                    evaluate={"num_steps": 4, "evidence_weight": weight})
              for weight in (0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)]},

    {"name": "conditional-weights-audioset",
     "title": "The weight of the evidence, on a split of AudioSet clips",
     "note": (
         "Two steps. Trained on the first three files of `bal_train`, evaluated on the "
         "fourth."),
     "common": {**options.AUDIOSET,
                "train_data_pattern": f"{_BAL_TRAIN}-0[0-2]-of-04.tfrecord"},
     "evaluate": {"eval_data_pattern": f"{_BAL_TRAIN}-03-of-04.tfrecord"},
     "rows": [
         _clip_row(f"weight-{weight}", aggregation, "conditional", "weight-0",
                   {"num_steps": 2, "evidence_weight": weight})
         for aggregation in ("netvlad", "gru")
         for weight in (0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)]},
)
