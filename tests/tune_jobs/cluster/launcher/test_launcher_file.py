"""Launcher files, right and wrong, without a cloud and without a network."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tests.support.launcher_files import AWS
from tune_jobs.cluster.launcher.launcher_file import LauncherFile, interpret, read
from tune_jobs.cluster.launcher.yaml_lines import parse
from tune_jobs.errors import RequestError

SHIPPED = Path(__file__).parents[4] / "cluster.yaml"
OWN = """\
cluster_name: ours
provider: {type: local, head_ip: 10.0.0.1, worker_ips: [10.0.0.2, 10.0.0.3]}
auth: {ssh_user: me}
"""


def cluster(text: str) -> LauncherFile:
    return interpret(parse(text, "ours.yaml"))


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RequestError) as error:
        cluster(text)
    return error.value.problems


@pytest.fixture
def no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    for name in ("boto3", "botocore", "googleapiclient", "azure"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_the_shipped_file_is_right_and_runs_no_trial_on_its_head(no_cloud: None) -> None:
    launcher_file = read(SHIPPED)
    head, gpu = launcher_file.node_types
    assert (launcher_file.provider, launcher_file.max_workers) == ("aws", 4)
    assert head.is_head
    assert head.resources["CPU"] == 0
    assert (gpu.min_workers, gpu.max_workers) == (0, 4)
    assert (gpu.resources["CPU"], gpu.resources["GPU"]) == (48, 4)


def test_the_shipped_file_says_what_it_promises() -> None:
    config = yaml.safe_load(SHIPPED.read_text())
    market = config["available_node_types"]["gpu_worker"]["node_config"]["InstanceMarketOptions"]
    assert market == {"MarketType": "spot"}
    assert any("[cluster]" in command for command in config["setup_commands"])
    assert any("/mnt/shared" in command and "mount" in command for command in config["initialization_commands"])
    assert any("RAY_AUTH_MODE=token" in command for command in config["setup_commands"])


def test_a_template_says_where_it_is_not_filled_in() -> None:
    notes = read(SHIPPED).notes
    assert sum("CHANGE-ME is still to be replaced" in note for note in notes) == 2
    assert not any("line 1:" in note for note in notes)  # what comments say does not count


def test_a_file_is_read_with_rays_defaults() -> None:
    launcher_file = cluster(AWS)
    assert [(kind.name, kind.min_workers, kind.max_workers) for kind in launcher_file.node_types] == [
        ("head", 0, 0),
        ("gpu", 0, 2),
    ]


def test_resources_that_only_aws_knows_are_unknown_here() -> None:
    text = AWS.replace("    resources: {CPU: 32, GPU: 4}\n", "")
    assert cluster(text).node_types[1].resources == {"CPU": None, "GPU": None, "memory": None}


def test_machines_of_ones_own_are_what_they_are() -> None:
    head, workers = cluster(OWN).node_types
    assert head.is_head
    assert head.resources["CPU"] is None
    assert (workers.min_workers, workers.max_workers) == (2, 2)


def test_a_head_that_is_started_without_cpus_runs_nothing() -> None:
    started = "ray start --head --num-cpus=0 --autoscaling-config=~/ray_bootstrap_config.yaml"
    head = cluster(f"{OWN}head_start_ray_commands: [ray stop, '{started}']\n").node_types[0]
    assert head.resources["CPU"] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (AWS + "max_worker: 3\n", "line 13: `max_worker` is no key that Ray knows at the top: did you mean `max_work"),
        (AWS.replace("GPU: 4", "GPU: 0.5"), "GPU` is 0.5, but must be a whole number: a node has whole ones; a trial"),
        (
            AWS.replace("CPU: 32", "cpu: 32"),
            "line 11: the resource `cpu` of gpu is a custom one to Ray: write `CPU`",
        ),
        (AWS.replace("max_workers: 3", "max_workers: many"), "line 2: the value of `max_workers` is 'many', but must"),
        (
            AWS.replace("max_workers: 3", "max_workers: -3"),
            "line 2: the value of `max_workers` is -3, but must be >= 0",
        ),
        (AWS.replace("type: aws", "type: cloud"), "the provider 'cloud', but `ray up` launches aws, azure"),
        (AWS.replace("type: aws", "type: kuberay"), "the provider 'kuberay', but `ray up` launches"),
        (
            AWS.replace("head_node_type: head", "head_node_type: top"),
            "line 4: `head_node_type` is top, but must be one of head, gpu.",
        ),
        (AWS.replace("    max_workers: 2", "    min_workers: 3\n    max_workers: 2"), "`min_workers` of gpu is 3, but"),
        (
            AWS.replace("    max_workers: 2", "    min_workers: 4\n    max_workers: 9"),
            "line 2: `max_workers` is 3, but must be at least the sum of all `min_workers`, 4.",
        ),
        (AWS.replace("    max_workers: 2", "    max_workers: -2"), "`max_workers` of gpu is -2, but must be >= 0"),
        (AWS + "head_start_ray_commands: [ray start --head]\n", "so no worker would ever be started: add it"),
        (AWS + "worker_start_ray_commands: [ray stop; ray start --redis-address=x]\n", "no option --redis-address"),
        (AWS + "docker: {image: x}\n", "does not accept it: Must provide a container"),
        (
            OWN + "head_node_type: x\navailable_node_types: {x: {}}\n",
            "line 5: `available_node_types` is not for machin",
        ),
        (OWN.replace("head_ip: 10.0.0.1, ", ""), "line 2: `head_ip` is None, but must be the head's address"),
        (OWN.replace("[10.0.0.2, 10.0.0.3]", "10.0.0.2"), "`worker_ips` is '10.0.0.2', but must be a list"),
        (OWN.replace("10.0.0.3", "10.0.0.1"), "10.0.0.1 is given twice, but one machine can only be one node"),
        ("apiVersion: ray.io/v1\nkind: RayJob\n", "is a manifest for Kubernetes, not a launcher file"),
        ("- 1\n", "holds list at the top"),
        ("cluster_name: x\n", "it has no `provider` with a `type`"),
        ("a: [1, !!timestamp x]\n", "line 1: the value `x` is no timestamp, which its tag says"),
        ("a: 1\nb: !!bool x\n", "line 2: the value `x` is no bool, which its tag says"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(text: str, message: str, no_cloud: None) -> None:
    (problem,) = problems(text)
    assert problem.startswith("ours.yaml")
    assert message in problem


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = AWS.replace("max_workers: 3", "max_workers: x").replace("GPU: 4", "GPU: 0.5") + "foo: 1\n"
    assert [problem.split(":")[0] for problem in problems(text)] == [
        "ours.yaml, line 2",
        "ours.yaml, line 11",
        "ours.yaml, line 13",
    ]


def test_a_mistake_is_told_once() -> None:
    text = AWS.replace("    resources: {CPU: 32, GPU: 4}\n    node_config: {InstanceType: p3.8xlarge}\n", "")
    assert [
        problem.partition(" Write ")[0].partition(" It says ")[0] for problem in problems(text.replace("aws", "gcp"))
    ] == [
        "ours.yaml, line 9: `available_node_types.gpu` has no `node_config`, but must.",
        "ours.yaml, line 9: `available_node_types.gpu` has no `resources`, but must.",
    ]


def test_ray_says_nothing_on_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    cluster(AWS)
    problems(OWN + "head_node_type: x\navailable_node_types: {x: {}}\n")
    assert capfd.readouterr() == ("", "")


def test_files_that_are_not_here_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    text = AWS + "file_mounts:\n  /a: there\n  /b: missing\nauth: {ssh_user: me, ssh_private_key: no.pem}\n"
    assert cluster(text).notes == (
        "ours.yaml, line 15: missing is not on this machine; `ray up` will need it.",
        "ours.yaml, line 16: no.pem is not on this machine; `ray up` will need it.",
    )


def test_rays_small_default_is_noted_where_nobody_said_how_many() -> None:
    text = AWS.replace("max_workers: 3\n", "", 1).replace("max_workers: 2", "max_workers: 9")
    assert "Ray starts 2 workers at most" in cluster(text).notes[0]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: 1\n" * 300_000])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"some\.yaml"):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read: No such file"):
        read(tmp_path / "none.yaml")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
PATHS = st.sampled_from(
    [
        ("cluster_name",),
        ("max_workers",),
        ("provider",),
        ("provider", "type"),
        ("provider", "region"),
        ("auth",),
        ("docker",),
        ("file_mounts",),
        ("head_node_type",),
        ("setup_commands",),
        ("head_start_ray_commands",),
        ("head_node",),
        ("available_node_types",),
        ("available_node_types", "head"),
        ("available_node_types", "gpu", "resources"),
        ("available_node_types", "gpu", "resources", "GPU"),
        ("available_node_types", "gpu", "node_config"),
        ("available_node_types", "gpu", "min_workers"),
    ]
)


@with_examples(40)
@given(st.lists(st.tuples(PATHS, VALUES), min_size=1, max_size=3), st.sampled_from([AWS, OWN]))
def test_any_file_is_read_or_refused(changes: list[tuple[tuple[str, ...], Any]], base: str) -> None:
    config = yaml.safe_load(base)
    for path, value in changes:
        entry = config
        for key in path[:-1]:
            entry = entry.get(key) if isinstance(entry, dict) else None
        if isinstance(entry, dict):
            entry[path[-1]] = value
    with suppress(RequestError):
        assert cluster(yaml.safe_dump(config)).node_types[0].is_head
