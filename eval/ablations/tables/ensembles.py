# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables of candidates for an ensemble: one model of every option (docs/ensemble.md).

They are trained on one part of the records, chosen and weighted on a second, which the
tables are measured on, and the ensemble is measured on a third, which they never see.
"""

from yt8m.eval.ablations.tables import audioset_table
from yt8m.eval.ablations.tables import common

_CLASSIFIERS = ("gated", "hidden", "moe")

_AUDIOSET = {
    "name": "ensemble-audioset",
    "title": "Candidates for an ensemble on AudioSet",
    "note": (
        "Trained on three shards of `bal_train`, measured on the fourth, with the "
        "training flags of *Every option on AudioSet* (docs/options.md) in every row."),
    "common": {**audioset_table.COMMON,
               "train_data_pattern": "{data}/audioset/bal_train/*-0[0-2]-of-*.tfrecord"},
    "evaluate": {"eval_data_pattern": "{data}/audioset/bal_train/*-03-of-*.tfrecord"},
    "rows": common.small(
        [*common.AGGREGATIONS, *_CLASSIFIERS, "differential"]),
}

_SAMPLE = {
    "name": "ensemble-sample",
    "title": "Candidates for an ensemble on the sample set",
    "note": (
        "SYNTHETIC records. Trained and measured as *Every option on the sample set* "
        "(docs/options.md), on videos of another seed; a fifth of them is left for "
        "measuring the ensemble."),
    "sample_data": {**common.SAMPLE_DATA, "num_videos": 3500,
                    "splits": "0.6,0.2,0.2", "seed": 11},
    "common": common.SAMPLE_COMMON,
    "evaluate": {"eval_data_pattern": "{sample}/frame/validate*.tfrecord"},
    "rows": common.small(
        [*common.AGGREGATIONS, *_CLASSIFIERS, *common.FUSIONS]),
}

TABLES = (_AUDIOSET, _SAMPLE)
