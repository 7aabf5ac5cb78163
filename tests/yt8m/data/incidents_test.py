# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""What readers left out is counted once."""

from yt8m.data import incidents


def test_the_first_of_each_kind_are_logged(caplog):
  found = incidents.Incidents()
  for i in range(30):
    found.add("kind", f"event {i}.")
  found.add("other", "another.")
  assert found.counts == {"kind": 30, "other": 1}
  assert "event 9." in caplog.text and "event 10." not in caplog.text
  assert "another." in caplog.text
  found.log_summary(found.counts)
  assert "In the records that were read: kind: 30, other: 1." in caplog.text


def test_a_record_counts_once(caplog):
  found = incidents.Incidents()
  for epoch in range(3):
    found.add("kind", "x, record 0 is bad.")
    found.add("other kind", "x, record 0 is bad.")
    assert found.new_counts() == ({} if epoch else {"kind": 1, "other kind": 1})
  assert found.counts == {"kind": 1, "other kind": 1}
  assert caplog.text.count("record 0 is bad") == 2
