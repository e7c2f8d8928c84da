"""The nodes of a cluster: their names, the nodes that may come, and the slots for trials."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tune_jobs.engine.on_ray import nodes
from tune_jobs.engine.on_ray.free_slots import FreeSlots
from tune_jobs.engine.on_ray.nodes import has_room_beside, launcher_file_nodes, node_names
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine, Node

LAUNCHER_FILE = """
max_workers: 5
head_node_type: head
available_node_types:
  head: {resources: {CPU: 0}, node_config: {}}
  gpu: {resources: {CPU: 8, GPU: 4, memory: 1000}, max_workers: 3}
  cpu: {resources: {CPU: 16, fast_disk: 1}}
"""


def table(host: str, address: str, node: str) -> dict[str, Any]:
    return {"NodeManagerHostname": host, "NodeManagerAddress": address, "NodeID": node}


def test_a_node_is_called_by_what_tells_it_from_the_others() -> None:
    tables = [table("a", "1.1", "n1"), table("pod", "1.2", "n2"), table("pod", "1.3", "n3")]
    assert node_names(tables) == {"n1": "a", "n2": "1.2", "n3": "1.3"}
    assert node_names([table("a", "1.1", "abcdefgh"), table("a", "1.1", "bcdefghi")]) == {
        "abcdefgh": "a-abcdef",
        "bcdefghi": "a-bcdefg",
    }


def test_another_node_has_room_if_the_workers_of_the_run_leave_some(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [
        {"NodeID": "a", "Resources": {"CPU": 4.0}, "Alive": True},
        {"NodeID": "b", "Resources": {"CPU": 4.0}, "Alive": True},
        {"NodeID": "c", "Resources": {"CPU": 8.0}, "Alive": False},
    ]
    monkeypatch.setattr(nodes, "all_nodes", lambda: tables)
    two = Resources(cpus=2)
    assert has_room_beside("a", ["a", "a", "b"], two)
    assert not has_room_beside("a", ["a", "b", "b"], two)
    assert not has_room_beside("a", ["a", "b", ""], two), "the node of a worker that is being started is not known"
    assert has_room_beside("gone", ["a", "b", "b"], two)


def test_what_ray_counts_for_itself_is_no_custom_resource() -> None:
    node = Node.from_ray({"CPU": 2.0, "memory": 5e9, "node:10.0.0.1": 1.0, "tpu": 4.0}, "host")
    assert node == Node(cpus=2, memory_bytes=5e9, custom={"tpu": 4.0}, host="host")


def test_what_the_launcher_file_allows_may_come(tmp_path: Path) -> None:
    (tmp_path / "launcher.yaml").write_text(LAUNCHER_FILE)
    head, gpu, cpu = launcher_file_nodes(tmp_path / "launcher.yaml")
    assert head[0].cpus == 0
    assert gpu == (Node(cpus=8, gpus=4, memory_bytes=1000, host="gpu"), 3)
    assert cpu == (Node(cpus=16, custom={"fast_disk": 1}, host="cpu"), 5)


@pytest.mark.parametrize("text", [None, "", "a: [", "max_workers: 1", "[1, 2]", "available_node_types: 3"])
def test_without_a_launcher_file_that_says_so_none_may_come(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "launcher.yaml").write_text(text)
    assert launcher_file_nodes(tmp_path / "launcher.yaml") == ()


class Growing:
    """A cluster, and a clock."""

    def __init__(self, *nodes: Node, **fields: Any) -> None:
        self.machine = Machine(nodes, is_cluster=True, **fields)
        self.now_s = 0.0
        self.looks = 0
        self.notes: list[str] = []

    def look(self) -> Machine:
        self.looks += 1
        return self.machine

    def has(self, *nodes: Node) -> None:
        self.machine = replace(self.machine, nodes=nodes)
        self.now_s += 2.0

    def slots(self, most: int | None = None) -> FreeSlots:
        return FreeSlots(self.machine, Resources(cpus=1), most, self.look, self.notes.append, lambda: self.now_s)


def test_the_slots_follow_the_cluster_and_says_so() -> None:
    cluster = Growing(Node(2))
    slots = cluster.slots()
    assert slots.count() == 2
    cluster.has(Node(2), Node(4))
    assert slots.count() == 6
    cluster.has()
    assert slots.count() == 0
    cluster.has(Node(1))
    assert slots.count() == 1
    assert cluster.notes == [
        "The cluster has 2 nodes now: 6 trials fit side by side.",
        "The cluster has 0 nodes now, and no trial fits on any of them: the run waits until one joins that has room.",
        "The cluster has 1 node now: 1 trial fits side by side.",
    ]


def test_a_cluster_that_stays_is_asked_once_a_second_and_never_noted() -> None:
    cluster = Growing(Node(2))
    slots = cluster.slots()
    for step in range(1, 1001):
        cluster.now_s = step / 100
        assert slots.count() == 2
    assert 5 <= cluster.looks <= 10
    assert cluster.notes == []


def test_a_limit_of_the_person_holds() -> None:
    cluster = Growing(Node(8))
    assert cluster.slots(most=3).count() == 3
    assert Growing(Node(2)).slots(most=3).count() == 2


def test_where_the_autoscaler_tells_no_limits_as_many_trials_as_a_person_wants_are_proposed() -> None:
    assert Growing(Node(2), may_grow=True).slots(most=16).count() == 16
    assert Growing(Node(2), may_grow=True).slots().count() == 2
    assert Growing(may_grow=True).slots().count() == 1
    assert Growing(may_grow=True).machine.problems(Resources(cpus=64)) == []


def test_this_machine_stays_as_it_is() -> None:
    assert FreeSlots(Machine((Node(3),)), Resources(cpus=1), None, None, print).count() == 3
