# Copyright 2026 The yt8m Authors.
# SPDX-License-Identifier: Apache-2.0
"""A replica without a model is not ready, but at the start of the server it says why."""

import io
import types

import pytest
import tensorflow as tf

pytest.importorskip("ray", reason="Ray is not installed: pip install 'yt8m[ray]'")
from ray import exceptions  # noqa: E402
from ray import serve  # noqa: E402

from yt8m.export.serving import ray_serving  # noqa: E402


def settings(model_dir):
  return ray_serving.Settings(
      model_dir=str(model_dir), versions="latest", model_name="m", poll_s=0,
      max_batch_size=1, batch_wait_s=0, max_queued_requests=1, request_timeout_s=1,
      max_body_bytes=1, num_threads=1)


def with_status(monkeypatch, status):
  # Other tests have used TensorFlow, whose threads can no longer be chosen.
  monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", int)
  monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # a replica sets it
  applications = {"yt8m": types.SimpleNamespace(status=status)} if status else {}
  monkeypatch.setattr(
      serve, "status", lambda: types.SimpleNamespace(applications=applications))


@pytest.mark.parametrize("status", ["RUNNING", "UNHEALTHY"])
def test_a_restarted_replica_needs_a_model(monkeypatch, tmp_path, status):
  with_status(monkeypatch, status)
  with pytest.raises(RuntimeError, match=f"No version in {tmp_path} can be served"):
    ray_serving.Replica(settings(tmp_path))


@pytest.mark.parametrize("status", ["DEPLOYING", None])
def test_at_the_start_the_reason_is_reported(monkeypatch, tmp_path, status):
  with_status(monkeypatch, status)
  (tmp_path / "1").mkdir()
  (tmp_path / "1" / "saved_model.pb").write_bytes(b"damaged")
  [reason] = ray_serving.Replica(settings(tmp_path)).describe().values()
  assert "is not the graph of a SavedModel" in reason


@pytest.mark.parametrize("version", ["2.52.1", "2.56.0", "2.57.0"])
def test_a_ray_that_runs_code_of_others_is_refused(monkeypatch, tmp_path, version):
  monkeypatch.setattr(ray_serving.ray, "__version__", version)
  with pytest.raises(RuntimeError, match=f"Ray {version} lets .*pip install -U"):
    ray_serving.start(settings(tmp_path), "127.0.0.1", 1, (1, 1), 1, 0)


def test_what_ray_says_when_it_fails_is_one_line(monkeypatch, tmp_path):
  def deploy(*_):
    raise exceptions.RayError("The actor died.\n\n  It took 9 s.\nTraceback\nNo more")

  monkeypatch.setattr(ray_serving.network, "start_ray", lambda *_, **options: None)
  monkeypatch.setattr(ray_serving, "_deploy", deploy)
  with pytest.raises(RuntimeError, match="^RayError: The actor died. It took 9 s. "
                     "Traceback Is the machine overloaded. Try again.$"):
    ray_serving.start(settings(tmp_path), "127.0.0.1", 1, (1, 1), 1, 0)


def test_what_ray_says_about_its_own_end_is_left_out():
  kept = io.StringIO()
  stream = ray_serving._WithoutRaylet(kept)
  for line in ("\x1b[33m(raylet)\x1b[0m Task failed", "(ProxyActor pid=1) {}"):
    print(line, file=stream, flush=True)  # Text and end of the line are two writes.
  assert kept.getvalue() == "(ProxyActor pid=1) {}\n"


def test_a_replica_measures_its_versions(monkeypatch, tmp_path):
  with_status(monkeypatch, "DEPLOYING")
  (tmp_path / "1").mkdir()
  (tmp_path / "1" / "saved_model.pb").write_bytes(b"damaged")
  samples = [sample for family in ray_serving.Replica(settings(tmp_path)).measure()
             for sample in family.samples]
  assert ("yt8m_model_version", "1", 0) in {
      (sample.name, sample.labels.get("version"), sample.value) for sample in samples}
  assert ("yt8m_queued_requests", 0) in {(x.name, x.value) for x in samples}
