# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables of candidates for an ensemble: one model of every option (docs/ensemble.md).

They are trained on one part of the records, chosen and weighted on a second, which the
tables are measured on, and the ensemble is measured on a third, which they never see.
"""

from yt8m.eval import audioset_table

_AGGREGATIONS = ("mean", "attention_pooling", "dbof", "soft_dbof", "netvlad", "netfv",
                 "nextvlad", "lstm", "gru", "blstm", "hierarchical_rnn", "cbhg",
                 "temporal_graph")
_CLASSIFIERS = ("gated", "hidden", "moe")


def _rows(names, **flags):
  return [{"name": name, "flags": {"model": f"small-{name}", **flags}} for name in names]


_AUDIOSET = {
    "name": "ensemble-audioset",
    "title": "Candidates for an ensemble on AudioSet",
    "note": (
        "Trained on three shards of `bal_train`, measured on the fourth, with the "
        "training flags of *Every option on AudioSet* (docs/options.md) in every row."),
    "common": {**audioset_table.COMMON,
               "train_data_pattern": "{data}/audioset/bal_train/*-0[0-2]-of-*.tfrecord"},
    "evaluate": {"eval_data_pattern": "{data}/audioset/bal_train/*-03-of-*.tfrecord"},
    "rows": [*_rows(_AGGREGATIONS), *_rows(_CLASSIFIERS), *_rows(["differential"])],
}

_SAMPLE = {
    "name": "ensemble-sample",
    "title": "Candidates for an ensemble on the sample set",
    "note": (
        "SYNTHETIC records. Trained and measured as *Every option on the sample set* "
        "(docs/options.md), on videos of another seed; a fifth of them is left for "
        "measuring the ensemble."),
    "sample_data": {"num_videos": 3500, "num_classes": 30, "feature_sizes": "128,64",
                    "max_frames": 24, "splits": "0.6,0.2,0.2", "segments": False,
                    "seed": 11},
    "common": {
        "frame_features": True, "feature_names": "rgb,audio", "feature_sizes": "128,64",
        "num_classes": 30, "max_frames": 24,
        "train_data_pattern": "{sample}/frame/train*.tfrecord",
        "batch_size": 64, "num_epochs": 20, "base_learning_rate": 0.005,
        "learning_rate_decay": 0.8, "learning_rate_decay_examples": 8400,
        "log_steps": 50},
    "evaluate": {"eval_data_pattern": "{sample}/frame/validate*.tfrecord"},
    "rows": [*_rows(_AGGREGATIONS), *_rows(_CLASSIFIERS),
             *_rows(["sum", "attention", "differential", "bilinear", "late1", "late2"])],
}

TABLES = (_AUDIOSET, _SAMPLE)
