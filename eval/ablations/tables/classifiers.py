# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables of classifiers: the published one in kind, and how its settings were chosen.

Every head reads the same hidden layer, so that rows differ by the head alone. Settings
are chosen by `classifiers-tuning`, on a split of the records to train on; the records to
measure on are seen by `classifiers` only.
"""

from yt8m.eval.ablations.tables import audioset_table

_FEATURES = {"feature_names": "mean_rgb,mean_audio", "feature_sizes": "1024,128"}
_HELDOUT = "{data}/yt8m/video/heldout/*.tfrecord"
# The first forty shards of `fit`, and its last eight.
_FIRST = "{data}/yt8m/video/fit/validate00[0-3]?.tfrecord"
_LAST = "{data}/yt8m/video/fit/validate004?.tfrecord"

_COMMON = {
    **_FEATURES, "model": "concat-hidden2048-logistic", "batch_size": 256,
    "learning_rate_schedule": "cosine", "warmup_examples": 6000, "log_steps": 50,
    # Class frequencies, label sets and label networks all come from here.
    "label_sets": "{data}/yt8m/label_sets_980k.npz"}

_CONDITIONAL = {"name": "conditional", "empty_share": 0.7}
_STEPS = (1, 2, 3, 4, 5)
_HEADS = {
    "logistic": {"name": "logistic"},
    "class_chain": {"name": "class_chain"},
    "label_powerset": {"name": "label_powerset"},
    "moe-2": {"name": "moe", "num_mixtures": 2},
    "moe-3": {"name": "moe", "num_mixtures": 3},
    "moe-4": {"name": "moe", "num_mixtures": 4},
    "conditional": _CONDITIONAL,
}

# The effort that every head gets: the same settings are tried, the units of the hidden
# layer and the flags.
_TRIALS = {
    "12-epochs": (1024, {"num_epochs": 12, "base_learning_rate": 1e-3}),
    "20-epochs": (1024, {"num_epochs": 20, "base_learning_rate": 1e-3}),
    "12-epochs-wide": (2048, {"num_epochs": 12, "base_learning_rate": 1e-3}),
}

# The best of them for each, by `classifiers-tuning`.
_CHOSEN = {"logistic": "20-epochs", "class_chain": "20-epochs",
           "label_powerset": "12-epochs", "moe-2": "20-epochs", "moe-3": "20-epochs",
           "moe-4": "20-epochs", "conditional": "20-epochs"}

_PUBLISHED = {
    "logistic": 0.7942, "class_chain": 0.795, "moe-2": 0.8282, "moe-3": 0.8296,
    "moe-4": 0.8305, "conditional-1": 0.8385, "conditional-2": 0.8398,
    "conditional-3": 0.8407, "conditional-4": 0.8410, "conditional-5": 0.8403}


def _train(head, trial):
  units, flags = _TRIALS[trial]
  return {**flags, "hparams": {"classifier": {"units": units, "head": _HEADS[head]}}}


def _with_steps(num_steps):
  return {"hparams": {"classifier": {"head": {"num_steps": num_steps}}}}


_TUNING = {
    "name": "classifiers-tuning",
    "title": "Settings of the classifiers, on a split of the records to train on",
    "note": (
        "Trained on the first forty shards of `fit`, measured on its last eight. MoE 3 "
        "and 4 take the settings of MoE 2."),
    "common": {**_COMMON, "train_data_pattern": _FIRST,
               "label_sets_exclude": f"{_LAST},{_HELDOUT}"},
    "evaluate": {"eval_data_pattern": _LAST},
    "rows": [{"name": f"{head}-{trial}", "flags": _train(head, trial)}
             for head in ("logistic", "class_chain", "label_powerset", "moe-2",
                          "conditional") for trial in _TRIALS],
}


def _row(name, head, **entries):
  """A row of `classifiers`, with the published GAP where there is one."""
  figures = {"GAP, published": f"{_PUBLISHED[name]:.4f}"} if name in _PUBLISHED else {}
  return {"name": name, "flags": _train(head, _CHOSEN[head]), "figures": figures,
          **entries}


_CLASSIFIERS = {
    "name": "classifiers",
    "title": "Classifiers on real YouTube-8M videos",
    "note": (
        "Trained on the 13,998 videos of `fit`, measured on the 3,501 of `heldout`. "
        "Every head reads a hidden layer of 1,024 units. Each was trained in three "
        "settings on a split of `fit` (`classifiers-tuning`); the best is the one here. "
        "The label network of `conditional` is the same in its three runs: its seed is a "
        "hyperparameter. "
        "The published figures (Kim et al. 2018, ECCV Workshops) are for the full data: "
        "compare differences, not values."),
    "common": {**_COMMON, "train_data_pattern": "{data}/yt8m/video/fit/*.tfrecord",
               "label_sets_exclude": _HELDOUT},
    "evaluate": {"eval_data_pattern": _HELDOUT},
    "paired_with": "moe-4",
    # In the order of the published table.
    "rows": [
        _row("logistic", "logistic"), _row("class_chain", "class_chain"),
        _row("label_powerset", "label_powerset"),
        *(_row(f"moe-{k}", f"moe-{k}") for k in (2, 3, 4)),
        *(_row(f"conditional-{k}", "conditional", evaluate=_with_steps(k))
          for k in _STEPS)],
}


def _scheme(name, *, evaluate=None, flags=None, **hparams):
  """A row of `conditional-schemes`: what it changes in the conditional head."""
  units, first = _TRIALS["12-epochs"]
  row = {"name": name, "flags": {
      **first, **(flags or {}), "hparams": {"classifier": {
          "units": units, "head": {**_CONDITIONAL, **hparams}}}}}
  if evaluate:
    row["evaluate"] = {"hparams": {"classifier": {"head": evaluate}}}
  return row


_SCHEMES = {
    "name": "conditional-schemes",
    "title": "Ways to train and to run conditional inference, on a split of the records "
             "to train on",
    "note": (
        "Trained on the first forty shards of `fit`, measured on its last eight, with "
        "the settings that every head tried first. `scores` is the head of the table of "
        "classifiers; rows that observe in another way are the same models."),
    "common": _TUNING["common"], "evaluate": _TUNING["evaluate"],
    "paired_with": "logistic",
    "rows": [
        {"name": "logistic", "flags": _train("logistic", "12-epochs")},
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
        _scheme("moe-2", head={"name": "moe", "num_mixtures": 2}),
    ],
}

_AUDIOSET_HEADS = {
    **{name: head for name, head in _HEADS.items() if name != "moe-3"},
    # There are 22,160 label sets, not a million: more passes.
    "conditional": {**_CONDITIONAL, "pretraining_epochs": 10}}

_BAL_TRAIN = "{data}/audioset/bal_train/bal_train"
# The weight is the best of `conditional-weights-audioset`.
_AUDIOSET_STEPS = {
    **{str(k): {"num_steps": k} for k in (1, 2, 4)},
    **{f"{k}-weight-0.2": {"num_steps": k, "evidence_weight": 0.2} for k in (2, 4)}}


def _audioset_flags(aggregation, head):
  config = _AUDIOSET_HEADS[head]
  return {"model": f"small-{aggregation}", "classifier": config["name"],
          "hparams": {"classifier": config}}


def _audioset_rows(aggregation):
  """Rows of one aggregation; every row against its logistic one."""
  rows = []
  for head in _AUDIOSET_HEADS:
    row = {"name": f"{aggregation}+{head}", "paired_with": f"{aggregation}+logistic",
           "flags": _audioset_flags(aggregation, head)}
    if head == "conditional":
      rows += [{**row, "name": f"{row['name']}-{name}",
                "evaluate": {"hparams": {"classifier": hparams}}}
               for name, hparams in _AUDIOSET_STEPS.items()]
    else:
      rows.append(row)
  return rows


_AUDIOSET = {
    "name": "classifiers-audioset",
    "title": "Classifiers behind two frame-level aggregations, on AudioSet",
    "note": (
        "Trained on the 22,160 clips of `bal_train`, measured on the 6,111 of `eval`, "
        "with the training flags of *Every option on AudioSet* (docs/options.md) in "
        "every row, so that none was tuned on its own, but for the rows with "
        "`weight-0.2`: their `evidence_weight` was chosen on a split of `bal_train` "
        "(`conditional-weights-audioset`). "
        "There are no label sets besides those of `bal_train`."),
    "common": audioset_table.COMMON, "evaluate": audioset_table.EVALUATE,
    "rows": [*_audioset_rows("netvlad"), *_audioset_rows("gru")],
}


def _weight_rows(prefix, flags, path, num_steps, weights):
  """Rows of one model, steps with each `evidence_weight`; with 0 they change nothing."""
  rows = []
  for weight in (0, *weights):
    hparams = {"num_steps": num_steps, "evidence_weight": weight}
    for name in reversed(path):
      hparams = {name: hparams}
    rows.append({"name": f"{prefix}weight-{weight}", "flags": flags,
                 "paired_with": f"{prefix}weight-0", "evaluate": {"hparams": hparams}})
  return rows


_WEIGHTS = {
    "name": "conditional-weights",
    "title": "The weight of the evidence, on a split of real YouTube-8M videos",
    "note": (
        "Four steps. Trained on the first forty shards of `fit`, measured on its last "
        "eight."),
    "common": _TUNING["common"], "evaluate": _TUNING["evaluate"],
    "rows": _weight_rows("", _train("conditional", _CHOSEN["conditional"]),
                         ["classifier", "head"], 4, (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)),
}

_WEIGHTS_AUDIOSET = {
    "name": "conditional-weights-audioset",
    "title": "The weight of the evidence, on a split of AudioSet clips",
    "note": (
        "Two steps. Trained on the first three files of `bal_train`, measured on the "
        "fourth."),
    "common": {**audioset_table.COMMON,
               "train_data_pattern": f"{_BAL_TRAIN}-0[0-2]-of-04.tfrecord"},
    "evaluate": {"eval_data_pattern": f"{_BAL_TRAIN}-03-of-04.tfrecord"},
    "rows": [row for aggregation in ("netvlad", "gru") for row in _weight_rows(
        f"{aggregation}+", _audioset_flags(aggregation, "conditional"), ["classifier"],
        2, (0.1, 0.2, 0.3, 0.5, 0.7, 1.0))],
}

TABLES = (_CLASSIFIERS, _TUNING, _SCHEMES, _AUDIOSET, _WEIGHTS, _WEIGHTS_AUDIOSET)
