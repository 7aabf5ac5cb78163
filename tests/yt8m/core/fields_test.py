# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""Kinds of JSON values: what they accept, and errors that name the entry."""

import pytest

from yt8m.core import fields

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("kind, good, bad", [
    (fields.COUNT, [1, 2**31 - 1], [0, -1, 1.0, True, "1", None, 2**31, NAN]),
    (fields.SIZE, [0, 2**40], [-1, 0.0, False, "0", None]),
    (fields.NUMBER, [0, -1.5, 10**300], [NAN, INF, -INF, 10**400, True, "1", None, []]),
    (fields.BOOL, [True, False], [0, 1, "true", None]),
    (fields.NAME, ["é"], ["", None, 1, ["a"]]),
    (fields.TEXT | fields.NULL, ["", None], [0, False, {}]),
    (fields.one_of([1]), [1], [1.0, True, "1", 2]),
    (fields.list_of(fields.COUNT, "numbers"), [[], [1, 2]], [[1, 2.0], [None], "12", {}]),
    (fields.object_of(fields.TEXT, "texts"), [{}, {"a": ""}], [{"a": 1}, [], None])])
def test_kinds(kind, good, bad):
  for value in good:
    assert kind.accepts(value), value
  for value in bad:
    assert not kind.accepts(value), value


@pytest.mark.parametrize("content, message", [
    ({"a": "é"}, "here: a is 'é', but must be a whole number from 1"),
    ({"a": "x" * 999}, r"here: a is 'x{79}…, but"),
    ({"a": 10**5000}, "here: a is <int, too large to be shown>, but"),
    ({"b": 1}, "here: it has no entry 'a', a whole number"),
    ({"a": 1, "b": []}, r"here: b is \[\], but must be a text or null"),
    ([1], r"here: \[1\] is there, but must be an object")])
def test_the_wrong_entry_is_named(content, message):
  with pytest.raises(ValueError, match=message) as error:
    fields.check(content, {"a": fields.COUNT}, {"b": fields.TEXT | fields.NULL}, "here: ")
  assert len(str(error.value).splitlines()) == 1
