"""Ray's reading of a launcher file is the one that we know; without it fewer checks are made, and a note says so."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.launcher_files import AWS
from tune_jobs.cluster.internals import NotInThisRay, launcher
from tune_jobs.cluster.launcher.launcher_file import PROVIDERS, LauncherFile, interpret
from tune_jobs.cluster.launcher.yaml_lines import parse
from tune_jobs.errors import RequestError

UTIL = "ray.autoscaler._private.util"
OWN = """\
cluster_name: ours
provider: {type: local, head_ip: 10.0.0.1, worker_ips: [10.0.0.2, 10.0.0.3]}
auth: {ssh_user: me}
"""
SHIPPED = (Path(__file__).parents[4] / "cluster.yaml").read_text()


def read(text: str) -> LauncherFile:
    return interpret(parse(text, "ours.yaml"))


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RequestError) as caught:
        read(text)
    return caught.value.problems


def test_the_private_functions_of_ray_are_those_that_we_know() -> None:
    from ray.autoscaler._private.providers import _NODE_PROVIDERS

    config = yaml.safe_load(AWS)
    before = copy.deepcopy(config)
    ready = launcher.with_defaults(config)
    launcher.judge(ready)
    assert ready["available_node_types"]["head"]["max_workers"] == 0
    assert ready["available_node_types"]["gpu"]["min_workers"] == 0
    assert {"auth", "file_mounts", "setup_commands", "cluster_synced_files"} <= set(ready)
    assert any("--autoscaling-config" in command for command in ready["head_start_ray_commands"])
    with pytest.raises(launcher.FileRefused, match="foo"):
        launcher.judge(ready | {"foo": 1})
    assert config == before
    assert set(PROVIDERS) <= set(_NODE_PROVIDERS)


def test_the_schema_and_the_options_are_where_they_were() -> None:
    assert {"max_workers", "available_node_types"} <= set(launcher.schema()["properties"])
    assert {"--head", "--num-cpus", "--autoscaling-config"} <= launcher.start_options()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """Take one of the private names away."""
    name: str = request.param
    if name == "the schema":
        monkeypatch.setattr(launcher, "_SCHEMA", "gone.json")
    else:
        monkeypatch.delattr(name)
    return name


EACH = pytest.mark.parametrize(
    ("without", "note"),
    [
        (f"{UTIL}.prepare_config", "The file was read with fewer defaults than Ray has"),
        (f"{UTIL}.validate_config", "Ray itself was not asked about the file as a whole"),
        ("the schema", "Keys and values were not compared with Ray's schema"),
        ("ray.scripts.scripts.start", "The options of `ray start` were not checked"),
    ],
    indirect=["without"],
)


@EACH
@pytest.mark.parametrize("text", [AWS, OWN, SHIPPED])
def test_without_a_name_a_file_promises_the_same_and_a_note_says_what_was_not_checked(
    without: str, note: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = read(text)
    [extra] = [line for line in partial.notes if "Ray 2." in line]
    assert extra.startswith(f"{note}: Ray ")
    monkeypatch.undo()
    whole = read(text)
    assert partial.node_types == whole.node_types
    assert (partial.name, partial.provider, partial.max_workers) == (whole.name, whole.provider, whole.max_workers)
    assert [line for line in partial.notes if line != extra] == list(whole.notes)


@EACH
def test_without_a_name_other_mistakes_are_still_found(without: str, note: str) -> None:
    assert any(
        "`min_workers` of gpu is 3, but" in problem
        for problem in problems(AWS.replace("max_workers: 2", "min_workers: 3\n    max_workers: 2"))
    )
    assert any("write `CPU`" in problem for problem in problems(AWS.replace("CPU: 32", "cpu: 32")))


@pytest.mark.parametrize(
    "changes",
    [{"max_workers": "x"}, {"available_node_types": {"head": {"max_workers": "x"}}}, {"available_node_types": 3}],
)
def test_a_file_of_wrong_types_is_refused_even_where_ray_helps_with_nothing(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("prepare_config", "validate_config"):
        monkeypatch.delattr(f"{UTIL}.{name}")
    monkeypatch.setattr(launcher, "_SCHEMA", "gone.json")
    assert any("does not accept it" in problem for problem in problems(yaml.safe_dump(yaml.safe_load(AWS) | changes)))


def test_a_name_that_means_something_else_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{UTIL}.prepare_config", lambda config: None)
    with pytest.raises(NotInThisRay, match="returns NoneType"):
        launcher.with_defaults({})
    monkeypatch.setattr("ray.scripts.scripts.start", print)
    with pytest.raises(NotInThisRay, match="params"):
        launcher.start_options()
