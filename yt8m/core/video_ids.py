# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The ids of videos: bytes in records and arrays, escaped text everywhere else.

The id of a record is any byte string. Arrays and TFRecords (.npz, prediction stores,
`Example`s) hold its bytes. CSVs, label sets and messages hold its text, in which `%XX`
stands for each byte that is not UTF-8, and for each byte of a character that would end
the id there: a comma, a quote, white space, a control character or a byte order mark. A
`%` that would be read as such an escape is one itself, so different ids have different
texts.

The ids of YouTube-8M have none of these characters, and are their own text.
`urllib.parse.unquote_to_bytes` returns the bytes of a text.
"""

import re
import urllib.parse
from collections.abc import Sequence
from typing import Any

import numpy as np

# A lone surrogate stands for a byte that is not UTF-8 (`surrogateescape`).
_RESERVED = r'[\s",\x00-\x1f\x7f-\x9f\ufeff\udc80-\udcff]'
_IN_TEXT = re.compile(_RESERVED)
_IN_BYTES = re.compile(rf"{_RESERVED}|%(?=[0-9A-Fa-f]{{2}})")


def as_text(video_id: bytes | str) -> str:
  """Returns the text of an id, or of an id of a segment, `video:start`.

  >>> import urllib.parse
  >>> from yt8m.core import video_ids
  >>> video_ids.as_text(b"my clips/a,b 100%.mp4")
  'my%20clips/a%2Cb%20100%.mp4'
  >>> [video_ids.as_text(i) for i in (b"DiRU", b"caf\\xe9", b"caf\\xc3\\xa9", b"caf%E9")]
  ['DiRU', 'caf%E9', 'café', 'caf%25E9']
  >>> urllib.parse.unquote_to_bytes("caf%25E9")
  b'caf%E9'

  Args:
    video_id: Bytes of the id, or its text. In a text, only what no text of this function
      has is escaped.
  """
  if isinstance(video_id, bytes):
    return _IN_BYTES.sub(_escape, video_id.decode("utf-8", "surrogateescape"))
  return _IN_TEXT.sub(_escape, str(video_id))


def as_texts(ids: Any) -> np.ndarray:
  """Returns the texts of n ids, bytes or texts, as an array, (n,) str."""
  ids = np.asarray(ids)
  if ids.dtype.kind == "U" and not _IN_TEXT.search("".join(ids.tolist())):
    return ids  # millions of them, already texts
  return np.array(list(map(as_text, ids.tolist())), np.str_)


def as_bytes(ids: Sequence[bytes | str] | np.ndarray) -> np.ndarray:
  """Returns the bytes of n ids or texts of ids, (n,).

  Raises:
    ValueError: An id ends with a zero byte, which such an array does not keep.
  """
  listed = [urllib.parse.unquote_to_bytes(video_id)
            if isinstance(video_id, str) else video_id for video_id in ids]
  for video_id in listed:
    if video_id.endswith(b"\0"):
      raise ValueError(f"The id {video_id!r} ends with a zero byte, and would be taken "
                       "for the id without it: give the video another id.")
  return np.array(listed, np.bytes_)


def repeated(ids: np.ndarray) -> bytes | None:
  """Returns the first id, in their order, that is there twice; None if there is none.

  Args:
    ids: Ids, (n,) bytes.
  """
  ordered = np.sort(ids)
  found = ordered[1:][ordered[1:] == ordered[:-1]]
  return found[0] if len(found) else None


def _escape(match: re.Match[str]) -> str:
  return "".join(
      f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))
