# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Damages valid inputs, byte by byte and by what they mean.

Every function takes a `random.Random` and the bytes of a valid input, and returns other
bytes. The same random state gives the same bytes.
"""

import json

# What JSON files of other people, and of broken programs, hold.
ODD_VALUES = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e308, 1e-320, 2**31, 2**63, 2**64,
    10**400, float("nan"), float("inf"), -float("inf"), "", "é", "0", "1e5", "nan", " ",
    "\0", "\ud800", "a\nb", "../../x", "/", "~", "gs://b", "a" * 999, "module:Class",
    [], {}, [[]], [None], {"": None}, {"name": None}, {"name": "sum"}, [1, "a", None])

# Words that stand in CSVs after a spreadsheet, an editor or a bug has written them.
ODD_WORDS = (
    "", " ", "0", "-1", "1.0", "1e3", "1e400", "nan", "NaN", "inf", "-inf", "+5", "1_000",
    "0x10", "٣", "²", "007", "99999999999999999999", "9" * 5000, "é", "\ufeff", "\0",
    '"', '"a"', "'", ",", ";", "\t", ":", "a:", ":5", "a:5:5", "a:-5", "a:5.0", "=1+1",
    "Class", "VideoId", "x" * 40000)

_BYTES = bytes((0, 1, 0x0A, 0x0D, 0x20, 0x22, 0x2C, 0x7F, 0x80, 0xC3, 0xFE, 0xFF))


def of_bytes(rng, data):
  """Flips, overwrites, inserts, repeats and removes bytes."""
  data = bytearray(data)
  for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 1, 2, 4, 8, 64)))
    kind = rng.randrange(7)
    if kind == 0 and at < len(data):
      data[at] ^= 1 << rng.randrange(8)
    elif kind == 1 and at < len(data):
      data[at] = rng.choice(_BYTES)
    elif kind == 2:
      data[at:at] = bytes([rng.choice(_BYTES)]) * rng.choice((1, 1, 2, 4, 300))
    elif kind == 3:
      data[at:at] = data[at:end]
    elif kind == 4:
      del data[at:end]
    elif kind == 5:
      del data[at:]
    else:
      data[at:end] = rng.randbytes(end - at)
  return bytes(data)


def of_json(rng, data):
  """Replaces, removes, renames, repeats and nests values of a JSON document."""
  if rng.random() < 0.15:
    return of_bytes(rng, data)
  value = json.loads(data)
  for _ in range(rng.choice((1, 1, 1, 2, 3))):
    value = _changed(rng, value)
  text = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode(
      "utf-8", "surrogatepass")
  if rng.random() < 0.05:
    text = b"\xef\xbb\xbf" + text
  if rng.random() < 0.01:
    text = b"[" * 2000 + text + b"]" * 2000
  return of_bytes(rng, text) if rng.random() < 0.05 else text


def _changed(rng, value):
  """Returns a JSON value with one change, at a random depth."""
  if not isinstance(value, (dict, list)) or not value or rng.random() < 0.1:
    return _odd(rng, value)
  if isinstance(value, list):
    value, at = list(value), rng.randrange(len(value))
    kind = rng.randrange(8)
    if kind == 0:
      del value[at]
    elif kind == 1:
      value.insert(at, value[at])
    elif kind == 2:
      value.append(rng.choice(ODD_VALUES))
    else:
      value[at] = _changed(rng, value[at])
    return value
  value, name = dict(value), rng.choice(list(value))
  kind = rng.randrange(10)
  if kind == 0:
    del value[name]
  elif kind == 1:
    value[rng.choice(("", "é", "name", "__class__", "self", name + "x"))] = (
        value.pop(name))
  elif kind == 2:
    value[rng.choice(("unknown", "self", "cls", "", "name"))] = rng.choice(ODD_VALUES)
  elif kind == 3:
    value[name] = value[rng.choice(list(value))]
  else:
    value[name] = _changed(rng, value[name])
  return value


def _odd(rng, value):
  kind = rng.randrange(8)
  if kind == 0:
    return [value]
  if kind == 1:
    return str(value)
  if kind == 2 and isinstance(value, (int, float)) and abs(value) < 1e300:
    return rng.choice((-value, value * 1.5, value + 1, float(value), bool(value)))
  if kind == 3:
    for _ in range(rng.choice((30, 300))):
      value = [value]
    return value
  return rng.choice(ODD_VALUES)


def of_text(rng, data):
  """Changes lines, words and separators of a text file, as spreadsheets do."""
  if rng.random() < 0.2:
    return of_bytes(rng, data)
  lines = data.decode().split("\n")
  for _ in range(rng.choice((1, 1, 2, 3))):
    at, kind = rng.randrange(len(lines)), rng.randrange(9)
    if kind == 0 and len(lines) > 1:
      del lines[at]
    elif kind == 1:
      lines.insert(at, lines[at])
    elif kind == 2:
      lines.insert(at, rng.choice(ODD_WORDS))
    elif kind == 3:
      lines[at] = lines[at].replace(rng.choice(", :"), rng.choice((";", "\t", ",", " ")))
    elif kind == 4:
      lines[at] = f'"{lines[at]}"'
    elif kind == 5:
      lines[at] = lines[at][:rng.randrange(len(lines[at]) + 1)]
    else:
      lines[at] = _other_word(rng, lines[at])
  text = rng.choice(("\n",) * 8 + ("\r\n", "\r")).join(lines)
  encoding = rng.choice(("utf-8",) * 8 + ("utf-8-sig", "utf-16", "latin-1"))
  return text.encode(encoding, "replace")


def _other_word(rng, line):
  separator = rng.choice((" ", ",", ":"))
  words = line.split(separator)
  words[rng.randrange(len(words))] = rng.choice(ODD_WORDS)
  return separator.join(words)
