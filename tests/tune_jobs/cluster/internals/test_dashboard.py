"""Ray's dashboard tells about a cluster in the way that is known here, and its client logs where it is silenced."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tune_jobs.cluster.internals import NotInThisRay
from tune_jobs.cluster.internals.dashboard import LOGGERS, is_autoscaled, nodes_up, python_version, silence_loggers

NODE = {"node_ip": "10.0.0.1", "state": "ALIVE", "resources_total": {"CPU": 2.0}}


def status(kinds: dict[str, str]) -> dict[str, Any]:
    return {"data": {"clusterStatus": {"autoscalerReport": {"nodeTypeMapping": kinds}}}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"data": {}}, False),
        ({"data": {"clusterStatus": None}}, False),
        (status({"ab": "node_ab", "cd": "node_cd"}), False),
        (status({"10.0.0.1": "head.default"}), True),
    ],
)
def test_an_autoscaler_is_known_by_the_kinds_of_its_nodes(answer: Any, expected: bool) -> None:
    assert is_autoscaled(answer) is expected


def test_nodes_that_are_down_do_not_count() -> None:
    answer = {"data": {"result": {"result": [NODE, {**NODE, "state": "DEAD"}]}}}
    assert nodes_up(answer) == [("10.0.0.1", {"CPU": 2.0})]


@pytest.mark.parametrize("read", [nodes_up, python_version, is_autoscaled])
@pytest.mark.parametrize(
    "answer", [None, [], {}, {"data": []}, {"data": {"result": {"result": [{}]}, "clusterStatus": 3}}]
)
def test_an_answer_of_another_form_is_no_mistake_of_the_person(read: Any, answer: Any) -> None:
    with pytest.raises(NotInThisRay, match="has another form than tune-jobs knows"):
        read(answer)


@pytest.mark.parametrize("name", LOGGERS)
def test_a_logger_is_one_of_rays(name: str) -> None:
    module = import_module(name)
    loggers = [value for value in vars(module).values() if isinstance(value, logging.Logger)]
    assert name in [logger.name for logger in loggers]


def test_loggers_are_silent_but_for_errors() -> None:
    silence_loggers()
    assert all(not logging.getLogger(name).isEnabledFor(logging.WARNING) for name in LOGGERS)
    assert all(logging.getLogger(name).isEnabledFor(logging.ERROR) for name in LOGGERS)


@pytest.fixture
def dashboard_url() -> Iterator[str]:
    import ray

    folder = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    context = ray.init(address="local", num_cpus=2, include_dashboard=True, _temp_dir=str(folder))
    yield f"http://{context.dashboard_url}"
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.integration
def test_a_real_dashboard_tells_its_nodes(dashboard_url: str) -> None:
    import platform

    import ray

    from tune_jobs.cluster.jobs.server import reach

    server = reach(dashboard_url)
    deadline_s = time.monotonic() + 60
    while not (cluster := server.cluster()).nodes and time.monotonic() < deadline_s:
        time.sleep(0.5)
    assert server.ray == ray.__version__
    assert cluster.python == platform.python_version()
    assert not cluster.is_autoscaled
    [node] = cluster.nodes
    assert node.host == ray.nodes()[0]["NodeManagerAddress"]
    assert node.cpus == 2
    assert node.memory_bytes > 0
