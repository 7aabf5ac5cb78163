# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables of small models, one of every option: compared, or as an ensemble's candidates.

The candidates (docs/ensemble.md) are trained on one part of the records, and measured,
chosen and weighted on a second one. The ensemble is measured on a third, unseen part.
"""

AGGREGATIONS = ("mean", "attention_pooling", "dbof", "soft_dbof", "netvlad", "netfv",
                "nextvlad", "lstm", "gru", "blstm", "hierarchical_rnn", "cbhg",
                "temporal_graph")
# All other rows have "concat".
FUSIONS = ("sum", "attention", "differential", "bilinear", "late1", "late2")
# All other rows have "logistic".
CLASSIFIERS = ("class_chain", "conditional", "gated", "hidden", "label_powerset", "moe")

AUDIOSET = {
    "frame_features": True, "feature_names": "audio_embedding",
    "feature_sizes": 128, "num_classes": 527, "max_frames": 10,
    "train_data_pattern": "{data}/audioset/bal_train/*.tfrecord",
    "batch_size": 128, "num_epochs": 6, "base_learning_rate": 0.005,
    "learning_rate_decay": 0.8, "learning_rate_decay_examples": 22160,
    "log_steps": 50}
AUDIOSET_EVALUATE = {"eval_data_pattern": "{data}/audioset/eval/*.tfrecord"}

_FRAMES = {"num_classes": 30, "feature_sizes": "128,64", "max_frames": 24}
_SAMPLE_DATA = {**_FRAMES, "segments": False}
_SAMPLE = {
    **_FRAMES, "frame_features": True, "feature_names": "rgb,audio",
    "train_data_pattern": "{sample}/frame/train*.tfrecord",
    "batch_size": 64, "num_epochs": 20, "base_learning_rate": 0.005,
    "learning_rate_decay": 0.8, "learning_rate_decay_examples": 8400,
    "log_steps": 50}
_SAMPLE_EVALUATE = {"eval_data_pattern": "{sample}/frame/validate*.tfrecord"}

_EQUAL = (
    "Every option at the small size of its recipe, `small-<option>`. All rows have the "
    "same training flags and epochs. No row was tuned individually, and larger models or "
    "longer training may rank differently. ")


def _small(names, **entries):
  """Returns a row for the small recipe of each of these options."""
  return [{"name": name, "flags": {"model": f"small-{name}"}, **entries}
          for name in names]


def _moments(**flags):
  """Returns flags of `netfv` with one cluster, and nothing that mixes its values."""
  return {"model": "small-netfv", **flags, "hparams": {"aggregation": {
      "clusters": 1, "projection": 0, "context_gating": False}}}


TABLES = (
    # Every option for one modality, on real clips.
    {"name": "options-audioset",
     "title": "Every option on AudioSet",
     "note": _EQUAL + (
         "The learning rate is between 0.003 and 0.01; both were tried once for mean, "
         "lstm, dbof and netvlad, trained on three shards of `bal_train` and evaluated "
         "on the fourth. `eval` was not used for this choice. However, that moving "
         "averages need a `batch_norm_decay` of 0.9 in runs this short was found on "
         "`eval` (docs/results.md).\n\n"
         "Trained on the 22,160 clips of `bal_train`, evaluated on the 6,111 of `eval`: "
         "527 classes, 10 frames of 128 values. There is only one modality, so "
         "`differential` is the only fusion that applies."),
     "common": AUDIOSET, "evaluate": AUDIOSET_EVALUATE,
     "paired_with": "mean",
     "rows": [*_small(AGGREGATIONS), *_small(CLASSIFIERS),
              *_small(["differential"], paired_with="dbof")]},

    # Every option on records that need it: which planted kinds of labels does it find?
    {"name": "options-sample",
     "title": "Every option on the sample set",
     "note": _EQUAL + (
         "The settings were chosen on sample sets with other seeds. Learning rates of "
         "0.003 and 0.01 were tried once each for mean, lstm, dbof and netvlad. Then "
         "videos were shortened to 24 frames and the epochs were raised from 12 to 20, "
         "because lstm had not distinguished the twins of *order*. (A model that knows "
         "that one of two twins is present, but not which one, has an average precision "
         "of about 0.5.) 13 and 20 classes were tried with lstm and dbof before 30 were "
         "chosen.\n\n"
         "Fusions are followed by `dbof`, and classifiers follow `mean`. `moments` is "
         "`netfv` with one cluster: the mean and variance of each value, without "
         "products of two modalities. The mean in `bilinear+mean` has none either. "
         "`moments` was added after `attention` before dbof, netvlad and "
         "attention_pooling had not beaten concatenation on *coincidence*, which these "
         "aggregations find by themselves. `bilinear` was changed after it had been "
         "evaluated on these records (GAP 0.36 before dbof, 0.41 before the mean): "
         "modalities now have unit length, and the sketch has 1,024 values instead of "
         "256."),
     "sample_data": {**_SAMPLE_DATA, "num_videos": 3000, "splits": "0.7,0.3,0",
                     "seed": 7},
     "common": _SAMPLE,
     # All 30 classes of a video, so that no kind of label is cut off.
     "evaluate": {**_SAMPLE_EVALUATE, "top_k": 30},
     "paired_with": "mean",
     "rows": [
         *_small(AGGREGATIONS), *_small(CLASSIFIERS),
         *_small(FUSIONS, paired_with="dbof"),
         # Aggregations that cannot multiply the modalities of a frame by themselves.
         {"name": "bilinear+mean", "flags": {
             "model": "small-mean", "fusion": "bilinear",
             "hparams": {"fusion": {"units": 1024}}}},
         {"name": "moments", "flags": _moments()},
         {"name": "attention+moments", "paired_with": "moments",
          "flags": _moments(fusion="attention")}]},

    {"name": "ensemble-audioset",
     "title": "Candidates for an ensemble on AudioSet",
     "note": (
         "Trained on three shards of `bal_train`, evaluated on the fourth. Every row has "
         "the training flags of *Every option on AudioSet* (docs/options.md)."),
     "common": {**AUDIOSET, "train_data_pattern":
                "{data}/audioset/bal_train/*-0[0-2]-of-*.tfrecord"},
     "evaluate": {"eval_data_pattern": "{data}/audioset/bal_train/*-03-of-*.tfrecord"},
     "rows": _small([*AGGREGATIONS, "gated", "hidden", "moe", "differential"])},

    {"name": "ensemble-sample",
     "title": "Candidates for an ensemble on the sample set",
     "note": (
         "Trained and evaluated like *Every option on the sample set* (docs/options.md), "
         "on videos of another seed. A fifth of them is left for measuring the "
         "ensemble."),
     "sample_data": {**_SAMPLE_DATA, "num_videos": 3500, "splits": "0.6,0.2,0.2",
                     "seed": 11},
     "common": _SAMPLE, "evaluate": _SAMPLE_EVALUATE,
     "rows": _small([*AGGREGATIONS, "gated", "hidden", "moe", *FUSIONS])},
)
