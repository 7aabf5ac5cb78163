# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The flags of decoding media files, and the processes that they describe."""

from absl import flags

from yt8m.core import child_processes
from yt8m.core import paths
from yt8m.extracting import features
from yt8m.extracting import streams

FLAGS = flags.FLAGS
# What is defined here belongs to the command that calls it, and to its --help.
flags.disclaim_key_flags()


def define(left_out: str) -> None:
  """Defines the flags.

  Args:
    left_out: What a file is without pictures or sound, such as "is left out".
  """
  paths.define("weights_dir", "", "Directory with the files of weights of the extractor, "
               "if it needs some that are part of no package.",
               must_exist="name the directory of the files of weights")
  flags.DEFINE_enum("missing", features.FAIL, features.MISSING, "What becomes of a file "
                    "without pictures or without sound, if the extractor needs both: it "
                    f"{left_out}, or has zeros in their place.")
  flags.DEFINE_integer("num_processes", None, "Number of processes that decode. Default: "
                       "one for each processor.", lower_bound=1)
  flags.DEFINE_float("file_timeout_secs", 300.0, "Seconds after which the decoding of a "
                     "file is given up.", 0.1)
  flags.DEFINE_float("file_memory_gib", 8.0, "GiB of addresses that decoding a file may "
                     "need.", 0.5)


def start(num_files: int) -> streams.Decoders:
  """Starts the processes; the caller ends them, as a context.

  Args:
    num_files: Number of files, beyond which there is no use in processes.
  """
  wanted = FLAGS.num_processes or child_processes.num_processors()
  return streams.Decoders(max(1, min(num_files, wanted)), FLAGS.file_timeout_secs,
                          round(FLAGS.file_memory_gib * 2**30))
