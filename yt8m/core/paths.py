# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""One policy for paths: what every flag for a path or a pattern means.

    ~, ~user     the home directory, at the start of a local path
    [ ] { } , *  part of a name, if a file or directory of that name exists
    @list.txt    the patterns in a file, one on each line; in flags for patterns only
    **           folders at any depth, as in data/**/*.tfrecord; in local paths only
    a*,b*        both patterns; a flag for patterns may also be repeated
    (empty)      an error: a shell variable may not be set
"""

import collections
import glob as glob_lib
import os
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING

from absl import flags
from absl import logging

from yt8m.core import fields
from yt8m.core import files
from yt8m.core import text_lines
from yt8m.core.types import PathLike

if TYPE_CHECKING:
  import tensorflow as tf
else:
  from yt8m.core.lazy import tensorflow as tf

# A flag that is defined here belongs to the module that asks for it.
flags.disclaim_key_flags()

_WILDCARDS = "*?["
# Characters of a pattern in errors.
_SHOWN = 500


class PathParser(flags.ArgumentParser):
  """Parses the value of a flag for a path.

  Args:
    must_exist: What to do if a local path does not exist, as an imperative clause; "" if
      it need not.
  """

  def __init__(self, must_exist: str = ""):
    super().__init__()
    self.must_exist = must_exist

  def parse(self, argument):
    return expand(argument)


class PatternFlag(flags.Flag):
  """A flag for patterns. If it is repeated, its value has one line for each of them.

  Attributes:
    is_checked: Whether `check_inputs` looks for what it names.
  """
  is_checked = True

  def parse(self, argument):
    self.value = f"{self.value}\n{argument}" if self.present else argument
    self.present += 1


def define(name: str, default: str | None, text: str, must_exist: str = "",
           values: flags.FlagValues = flags.FLAGS) -> None:
  """Defines a flag for one path.

  Args:
    name: Name of the flag.
    default: Default value.
    text: Help text.
    must_exist: What to do if a local path does not exist, such as "name the CSV to
      evaluate"; "" if it need not.
    values: Flags that it belongs to.
  """
  flags.DEFINE(PathParser(must_exist), name, default, text, values,
               serializer=flags.ArgumentSerializer())


def define_pattern(name: str, default: str | None, text: str, is_checked: bool = True,
                   values: flags.FlagValues = flags.FLAGS) -> None:
  """Defines a flag for patterns, to be read with `match`.

  Args:
    name: Name of the flag.
    default: Default value.
    text: Help text.
    is_checked: Whether the command always reads what it names.
    values: Flags that it belongs to.
  """
  flag = PatternFlag(parser=flags.ArgumentParser(), serializer=flags.ArgumentSerializer(),
                     name=name, default=default, help_string=text)
  flag.is_checked = is_checked
  flags.DEFINE_flag(flag, values)


def check_empty(values: flags.FlagValues) -> None:
  """Refuses paths that are given but empty, as an unset shell variable leaves them.

  Raises:
    ValueError: A flag for a path or a pattern is empty.
  """
  for name in values:
    flag = values[name]
    is_path = isinstance(flag, PatternFlag) or isinstance(flag.parser, PathParser)
    if is_path and flag.present and flag.value is not None and not flag.value.strip():
      raise ValueError(f"--{name} is empty: give a path, or leave the flag out. (Is a "
                       "shell variable not set?)")


def check_inputs(values: flags.FlagValues) -> None:
  """Refuses local paths and patterns to read that match nothing.

  Remote ones, and the patterns in a list, are checked where they are read.

  Raises:
    OSError: A path does not exist, or a list of patterns (`@list.txt`).
    ValueError: A pattern matches no file.
  """
  for name in values:
    flag = values[name]
    if not flag.present or not flag.value:
      continue
    if isinstance(flag, PatternFlag) and flag.is_checked:
      for pattern in _local_patterns(flag.value, f"--{name}"):
        _found(pattern, f"--{name}")
    remedy = getattr(flag.parser, "must_exist", "")
    if remedy and "://" not in flag.value and not os.path.exists(flag.value):
      raise FileNotFoundError(f"--{name}={fields.printable(flag.value, _SHOWN)} does not "
                              f"exist: {remedy}.")


def _local_patterns(text: str, flag: str) -> Iterator[str]:
  """Yields the patterns of a flag that can be checked without another file."""
  for line in map(str.strip, text.splitlines()):
    if "://" in line:
      continue
    if line.startswith("@") and not os.path.exists(line):
      if not os.path.exists(expand(line[1:])):
        raise _no_list(expand(line[1:]), flag)
      continue
    yield from _split(line)


def check_named(words: Sequence[str], kind: str) -> None:
  """Refuses local paths and patterns of which none matches anything.

  Args:
    words: Paths and patterns.
    kind: What they are, in the plural.

  Raises:
    ValueError: There is nothing.
  """
  if any("://" in word or word.startswith("@") for word in words):
    return
  if not any(glob(pattern) for word in words for pattern in _split(word)):
    raise ValueError(f"Nothing matches {fields.short(' '.join(words), _SHOWN)}: name "
                     f"{kind} that exist.")


def expand(path: PathLike) -> str:
  """Returns a path with its home directory; a file that is named ~ stays itself."""
  path = os.fspath(path)
  if files.is_remote(path) or os.path.lexists(path):
    return path
  return os.path.expanduser(path)


def glob(pattern: str) -> list[str]:
  """Returns the files and directories that match a pattern, sorted.

  A path that exists matches itself alone. Wildcards in the directories that exist are
  part of their names.
  """
  pattern = expand(pattern)
  if files.exists(pattern):
    return [pattern]
  directory = os.path.dirname(pattern)
  while any(wildcard in directory for wildcard in _WILDCARDS):
    if files.is_dir(directory):
      return files_of(directory, pattern[len(directory):].lstrip("/"))
    directory = os.path.dirname(directory)
  return _matches(pattern)


def _matches(pattern):
  if files.is_remote(pattern):
    return sorted(tf.io.gfile.glob(pattern))
  # As a shell does it: TensorFlow's would match hidden files, such as .DS_Store.
  return sorted(glob_lib.glob(pattern, recursive=True))


def files_of(directory: PathLike, pattern: str) -> list[str]:
  """Returns what matches a pattern below a directory, whatever its name, sorted."""
  return _matches(os.path.join(glob_lib.escape(os.fspath(directory)), pattern))


def match(text: str, flag: str = "the data pattern") -> list[str]:
  """Returns the sorted files that match the patterns of a flag.

  Directories among the matches are left out, with a notice.

  Args:
    text: Value of a flag for patterns, e.g. `"train*.tfrecord,gs://bucket/more*"`.
    flag: Name of the flag in errors, e.g. `"--train_data_pattern"`.

  Raises:
    FileNotFoundError: A list of patterns (`@list.txt`) does not exist.
    ValueError: There are no patterns, one of them matches no file, or a list of them is
      no UTF-8 text.
  """
  matches = set()
  for pattern in patterns(text, flag):
    found = _found(pattern, flag)
    directories = [path for path in found if files.is_dir(path)]
    if len(directories) == len(found):
      raise ValueError(f"{found[0]!r} is a directory ({flag}): write "
                       f"'{found[0].rstrip('/')}/*{_commonest_end(found[0])}'.")
    for path in directories:
      logging.warning("%s is left out: it is a directory (%s).", path, flag)
    matches.update(set(found) - set(directories))
  return sorted(matches)


def _commonest_end(directory: str) -> str:
  """Returns what most names in a directory end with."""
  ends = collections.Counter() if files.is_remote(directory) else collections.Counter(
      os.path.splitext(name)[1] for name in os.listdir(directory))
  ends.pop("", None)
  return ends.most_common(1)[0][0] if ends else ".tfrecord"


def _found(pattern: str, flag: str) -> list[str]:
  """Returns what a pattern matches, at least one file or directory."""
  if found := glob(pattern):
    return found
  deep = (" There, ** is no more than *: name the folders."
          if "**" in pattern and files.is_remote(pattern) else "")
  raise ValueError(f"No file matches {fields.short(pattern, _SHOWN)} ({flag}).{deep}")


def patterns(text: str, flag: str) -> list[str]:
  """Returns the patterns of a flag one by one.

  Args:
    text: Value of the flag.
    flag: Name of the flag in errors.

  Raises:
    FileNotFoundError: A list of patterns (`@list.txt`) does not exist.
    ValueError: There are no patterns.
  """
  found = list(_patterns(text, flag))
  if not found:
    raise ValueError(f"{flag} is empty: give a glob such as 'data/train*.tfrecord'.")
  return found


def _patterns(text: str, flag: str) -> Iterator[str]:
  for line in text.splitlines():
    entries = [line.strip()]
    if line.startswith("@") and not files.exists(line):
      path = expand(line[1:])
      if not files.exists(path):
        raise _no_list(path, flag)
      entries = [entry.strip() for _, entry in text_lines.read(path)]
    for entry in entries:
      yield from _split(entry)


def _split(entry: str) -> Iterator[str]:
  """Yields the patterns that commas separate; a comma may be part of a name."""
  whole = "," not in entry or glob(entry)
  names = [entry] if whole else [name.strip() for name in entry.split(",")]
  yield from filter(None, names)


def _no_list(path: str, flag: str) -> FileNotFoundError:
  return FileNotFoundError(f"{path} does not exist: after @, {flag} takes a file with "
                           "one pattern on each line.")
