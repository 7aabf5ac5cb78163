# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Pipelines are reused from file to file, also after errors."""

import concurrent.futures

import pytest
import tensorflow as tf

from yt8m.data import file_batches


class Pipelines:
  """Batches of two lines of a text file; counts how often it is built."""

  def __init__(self):
    self.made = []
    self.read = file_batches.FileBatches(self.make)

  def make(self, path, remote):
    self.made.append(remote)
    return tf.data.TextLineDataset(path).map(tf.strings.to_number).batch(2).map(
        lambda x: {"x": x, "static": tf.ensure_shape(x[tf.newaxis], [1, None])})

  def __call__(self, path):
    return [batch["x"].numpy().tolist() for batch in self.read(str(path))]


@pytest.fixture
def texts(tmp_path):
  for number in range(9):
    (tmp_path / str(number)).write_text("".join(f"{i}\n" for i in range(number)))
  return [tmp_path / str(number) for number in range(9)]


def lines(number):
  return [list(range(number))[i:i + 2] for i in range(0, number, 2)]


def test_files_of_any_length_come_out_as_they_are(texts):
  read = Pipelines()
  for number in (5, 0, 8, 1, 0, 0, 2, 5):
    assert read(texts[number]) == lines(number)
  assert read.made == [False]


def test_files_read_at_the_same_time_do_not_mix(texts):
  read = Pipelines()
  with concurrent.futures.ThreadPoolExecutor(4) as pool:
    numbers = [*range(9)] * 6
    assert list(pool.map(read, (texts[n] for n in numbers))) == list(map(lines, numbers))
  assert len(read.made) <= 4


def test_a_file_left_in_the_middle_does_not_leak_into_the_next(texts):
  read = Pipelines()
  next(read.read(str(texts[8])))
  assert read(texts[3]) == lines(3)


def test_after_an_error_the_next_file_is_read(texts, tmp_path):
  (tmp_path / "bad").write_text("1\n2\nx\n")
  read = Pipelines()
  assert read(texts[3]) == lines(3)
  for _ in range(2):
    with pytest.raises(tf.errors.InvalidArgumentError):
      read(tmp_path / "bad")
    assert read(texts[4]) == lines(4)


def test_remote_files_have_a_pipeline_of_their_own(texts):
  read = Pipelines()
  with tf.io.gfile.GFile("ram://lines", "w") as file:
    file.write("0\n1\n2\n")
  assert read("ram://lines") == lines(3) and read(texts[2]) == lines(2)
  assert read.made == [True, False]
