# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""The paths that the server knows, and the few words by which they are counted."""

import re

_MODEL = r"(?i:/v1/models)/(?P<name>[^/:]+)(?:(?i:/versions)/(?P<version>[0-9]{1,18}))?"
PREDICT = re.compile(rf"{_MODEL}:(?P<verb>[a-z]+)")
STATUS = re.compile(rf"{_MODEL}(?P<metadata>/metadata)?")

# The Open Inference Protocol.
SERVER, LIVE, READY = "/v2", "/v2/health/live", "/v2/health/ready"
_MODEL_2 = r"/v2/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]{1,18}))?"
MODEL = re.compile(rf"{_MODEL_2}(?P<ready>/ready)?")
INFER = re.compile(rf"{_MODEL_2}/infer")

METRICS = "/metrics"

HEALTH = "health"
KINDS = ("predict", "status", "metadata", HEALTH, "metrics", "other")


def kind(path: str) -> str:
  """Returns one of `KINDS` for a path, whatever a client sends."""
  if path == METRICS:
    return "metrics"
  if path in (LIVE, READY):
    return HEALTH
  if path == SERVER:
    return "metadata"
  if PREDICT.fullmatch(path):
    return "predict"
  if match := STATUS.fullmatch(path):
    return "metadata" if match["metadata"] else "status"
  if match := MODEL.fullmatch(path):
    return HEALTH if match["ready"] else "metadata"
  return "other"
