"""Facts that Ray has no public way to ask for: the installed Ray tells them, and a run goes on without them."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray._private import state, worker
from ray.core.generated import autoscaler_pb2

from tune_jobs.engine.on_ray import nodes
from tune_jobs.engine.on_ray.internals.state import JOB_CONFIG, job_runtime_env, node_groups
from tune_jobs.host.capacity import Node

LAUNCHER_FILE = "{max_workers: 1, head_node_type: a, available_node_types: {a: {resources: {CPU: 3}}}}"


def groups_of(*groups: tuple[str, dict[str, int], int]) -> SimpleNamespace:
    config = autoscaler_pb2.ClusterConfig()
    for name, resources, most in groups:
        config.node_group_configs.add(name=name, resources=resources, max_count=most)
    return SimpleNamespace(get_cluster_config=lambda: config)


def test_ray_still_has_these_names() -> None:
    assert callable(state.GlobalState.get_cluster_config)
    assert isinstance(state.state, state.GlobalState)
    assert worker.RAY_JOB_CONFIG_JSON_ENV_VAR == JOB_CONFIG
    assert "RAY_JOB_CONFIG_JSON_ENV_VAR" in inspect.getsource(worker.init)


def test_the_limits_of_the_autoscaler_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = groups_of(("gpu", {"CPU": 8, "GPU": 4}, 3), ("cpu", {"CPU": 16}, -1))
    monkeypatch.setattr(state, "state", fake)
    assert node_groups() == [("gpu", {"CPU": 8, "GPU": 4}, 3), ("cpu", {"CPU": 16}, 10_000)]
    assert nodes.possible_nodes() == ((Node(8, gpus=4, host="gpu"), 3), (Node(16, host="cpu"), 10_000))


@pytest.mark.parametrize("missing", ["module", "object", "method", "field"])
def test_without_the_name_the_launcher_file_counts(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "launcher.yaml").write_text(LAUNCHER_FILE)
    monkeypatch.setattr(nodes, "LAUNCHER_FILE", tmp_path / "launcher.yaml")
    if missing == "module":
        monkeypatch.setitem(sys.modules, "ray._private.state", None)
        monkeypatch.delattr("ray._private.state")
    elif missing == "object":
        monkeypatch.delattr(state, "state")
    else:
        has_no_field = {"get_cluster_config": lambda: SimpleNamespace()} if missing == "field" else {}
        monkeypatch.setattr(state, "state", SimpleNamespace(**has_no_field))
    assert node_groups() == []
    assert nodes.possible_nodes() == ((Node(3, host="a"), 2),)


def test_the_runtime_environment_of_a_job_is_read() -> None:
    submitted = {"runtime_env": {"py_modules": ["gcs://a.zip"]}, "metadata": {}}
    assert job_runtime_env({JOB_CONFIG: json.dumps(submitted)}) == {"py_modules": ["gcs://a.zip"]}


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"runtime_env": null}', '{"runtime_env": "a"}'])
def test_without_it_nothing_is_inherited(text: str) -> None:
    assert job_runtime_env({JOB_CONFIG: text}) == {}
    assert job_runtime_env({}) == {}
