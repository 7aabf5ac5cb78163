# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""How videos are divided: every label by its shares, files whole, always the same."""

import collections
import random

import hypothesis
import pytest
from hypothesis import strategies as st

from yt8m.extracting import clips
from yt8m.extracting import splits

SHARES = {"train": 0.8, "validate": 0.1, "test": 0.1}

LISTS = st.lists(
    st.tuples(st.integers(0, 30), st.sets(st.sampled_from("abcdef")),
              st.sampled_from(["", "", "", "train", "validate", "test"])),
    max_size=60)


def listed(rows):
  return [clips.Clip(f"/v/{file}.mp4", tuple(sorted(labels)), f"{file}@{number}",
                     split=split)
          for number, (file, labels, split) in enumerate(rows)]


def counts(divided):
  return {split: collections.Counter(label for clip in found for label in clip.labels)
          for split, found in divided.items()}


@hypothesis.given(LISTS, st.integers(0, 3), st.randoms())
@hypothesis.settings(deadline=None)
def test_any_list(rows, seed, rng):
  given = listed(rows)
  divided = splits.divide(given, SHARES, seed)
  assert sorted(clip.id for found in divided.values() for clip in found) == sorted(
      clip.id for clip in given)
  assert list(divided) == list(SHARES)
  split_of = {clip.id: split for split, found in divided.items() for clip in found}
  named = {clip.path: set() for clip in given}
  for clip in given:
    if clip.split:
      assert split_of[clip.id] == clip.split
      named[clip.path].add(clip.split)
  for path, own in named.items():
    others = {split_of[clip.id] for clip in given if clip.path == path and not clip.split}
    assert len(others) <= 1
    assert not own or others <= own
  rng.shuffle(given)
  assert splits.divide(given, SHARES, seed) == divided


@pytest.mark.parametrize("seed", range(5))
def test_every_label_has_its_shares(seed):
  rng = random.Random(seed)
  given = [clips.Clip(f"{number}.mp4", (rng.choice("ab"), rng.choice("xyz")),
                      str(number)) for number in range(600)]
  divided = splits.divide(given, SHARES, seed)
  assert [len(found) for found in divided.values()] == pytest.approx([480, 60, 60], abs=2)
  total = collections.Counter(label for clip in given for label in clip.labels)
  for split, found in counts(divided).items():
    for label, count in total.items():
      # The rarer one of two labels of a video decides where it goes.
      most = 2 if label in "xyz" else 7
      assert found[label] == pytest.approx(SHARES[split] * count, abs=most)


def test_rare_labels_are_trained_on_first():
  given = [clips.Clip(f"{number}.mp4", ("rare",) if number < 2 else ("common",),
                      str(number)) for number in range(50)]
  divided = counts(splits.divide(given, SHARES))
  assert divided["train"]["rare"] == 2
  assert [found["common"] for found in divided.values()] == pytest.approx(
      [38, 5, 5], abs=1)


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_many_labels_of_few_videos_leave_no_split_empty(count):
  given = [clips.Clip(f"{label}-{number}.mp4", (f"label {label}",), f"{label}-{number}")
           for label in range(100) for number in range(count)]
  divided = splits.divide(given, SHARES)
  assert [len(found) / len(given) for found in divided.values()] == pytest.approx(
      [0.8, 0.1, 0.1], abs=0.06)
  assert len(counts(divided)["train"]) == 100
  few = [clips.Clip(f"{number}.mp4", ("all", f"label {number % 4}"), str(number))
         for number in range(12)]
  assert all(splits.divide(few, SHARES).values())


def test_given_splits_count_as_shares():
  given = [clips.Clip(f"{number}.mp4", ("cat",), str(number),
                      split="test" if number < 10 else "") for number in range(100)]
  divided = splits.divide(given, SHARES)
  assert [len(found) for found in divided.values()] == [80, 10, 10]
  assert {int(clip.id) for clip in divided["test"]} == set(range(10))


def test_one_file_under_two_spellings():
  given = [clips.Clip(f"/v/{'./' * (number % 2)}a.mp4", (), str(number))
           for number in range(20)]
  assert [len(found) for found in splits.divide(given, SHARES).values()] == [20, 0, 0]


def test_seeds_differ_and_a_share_may_be_zero():
  given = [clips.Clip(f"{number}.mp4", ("cat",), str(number)) for number in range(50)]
  shares = {"train": 0.5, "validate": 0.5, "test": 0.0}
  first, second = (splits.divide(given, shares, seed) for seed in (0, 1))
  assert not first["test"] and len(first["train"]) == 25
  assert {clip.id for clip in first["train"]} != {clip.id for clip in second["train"]}
  assert not any(splits.divide([], SHARES).values())
