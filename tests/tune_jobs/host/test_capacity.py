"""How many trials fit on a machine and on a cluster, and what is told when none does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ray_node import RayNode
from tune_jobs.base.amounts import to_units
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine, Node, this_machine

HEAD = Node(0, host="head")
GPU_NODE = Node(cpus=8, gpus=4, memory_bytes=64e9, custom={"a100": 4}, host="gpu-1")
CPU_NODE = Node(cpus=32, memory_bytes=16e9, host="cpu-1")


def cluster(*nodes: Node, possible: tuple[tuple[Node, int], ...] = ()) -> Machine:
    return Machine(nodes, possible, is_cluster=True)


@pytest.mark.parametrize(
    ("node", "resources", "trials"),
    [
        (Node(8), Resources(cpus=2), 4),
        (Node(8, 2), Resources(cpus=1, gpus=0.25), 8),
        (Node(8, 1), Resources(cpus=1, gpus=0.25), 4),
        (Node(8, 2), Resources(cpus=1, gpus=0.4), 4),  # two on each: a part is of one GPU
        (Node(8, 4), Resources(cpus=1, gpus=2), 2),
        (Node(8, 4), Resources(cpus=1, gpus="auto"), 4),
        (Node(2), Resources(cpus=0.5), 4),
        (Node(0.3), Resources(cpus=0.1), 3),
        (Node(2), Resources(cpus=4), 0),
        (Node(2), Resources(cpus=1, gpus=1), 0),
        (GPU_NODE, Resources(cpus=1, memory_bytes=20_000_000_000), 3),
        (GPU_NODE, Resources(cpus=1, custom={"a100": 2}), 2),
        (CPU_NODE, Resources(cpus=1, custom={"a100": 2}), 0),
        (HEAD, Resources(cpus=0.01), 0),
    ],
)
def test_trials_that_fit_on_a_node(node: Node, resources: Resources, trials: int) -> None:
    assert node.trials_that_fit(resources) == trials
    assert bool(cluster(node).problems(resources)) == (trials == 0)


def test_the_capacity_of_a_cluster_is_that_of_its_nodes() -> None:
    nodes = cluster(HEAD, GPU_NODE, GPU_NODE, CPU_NODE)
    assert nodes.trials_that_fit(Resources(cpus=1, gpus=0.5)) == 16
    assert nodes.trials_that_fit(Resources(cpus=5)) == 1 + 1 + 6  # not 48 // 5
    assert (nodes.cpus, nodes.gpus) == (48, 8)


def test_nodes_that_an_autoscaler_may_start_count() -> None:
    nodes = cluster(HEAD, GPU_NODE, possible=((GPU_NODE, 3), (CPU_NODE, 0)))
    assert nodes.trials_that_fit(Resources(cpus=1, gpus=0.5)) == 24
    assert cluster(HEAD, possible=((GPU_NODE, 1),)).problems(Resources(gpus=1)) == []
    (problem,) = cluster(HEAD, possible=((GPU_NODE, 1),)).problems(Resources(gpus=8))
    assert "(gpu-1) has 4" in problem


def test_too_much_is_told_with_what_there_is() -> None:
    (problem,) = Machine((Node(2),)).problems(Resources(cpus=64))
    assert "`cpus` is 64, but this machine has 2" in problem


def test_each_resource_that_no_node_has_is_told_with_the_largest_node() -> None:
    problems = cluster(HEAD, GPU_NODE, CPU_NODE).problems(Resources(cpus=64, gpus=8, custom={"tpu": 1}))
    assert [problem.split(":")[1] for problem in problems] == [
        " The value of `cpus` is 64, but the largest node of the cluster (cpu-1) has 32",
        " The value of `gpus` is 8, but the largest node of the cluster (gpu-1) has 4",
        " The value of `tpu` is 1, but the largest node of the cluster (head) has 0",
    ]


def test_what_only_several_nodes_have_together_is_told() -> None:
    (problem,) = cluster(GPU_NODE, CPU_NODE).problems(Resources(cpus=16, gpus=1))
    assert "no node has all of cpus=16, gpus=1" in problem


def test_a_cluster_without_nodes_is_told() -> None:
    (problem,) = cluster().problems(Resources())
    assert "no nodes" in problem


@given(
    st.lists(st.tuples(st.integers(0, 64), st.integers(0, 8)), min_size=1, max_size=5),
    st.sampled_from([0.1, 0.5, 1, 2, 3]),
    st.sampled_from([0, 0.1, 0.25, 0.3, 0.5, 1, 2]),
)
def test_what_fits_never_asks_for_more_than_there_is(nodes: list[tuple[int, int]], cpus: float, gpus: float) -> None:
    machine = cluster(*(Node(node_cpus, node_gpus) for node_cpus, node_gpus in nodes))
    trials = machine.trials_that_fit(Resources(cpus=cpus, gpus=gpus))
    assert trials * to_units(cpus) <= to_units(machine.cpus)
    assert trials * to_units(gpus) <= to_units(machine.gpus)
    assert bool(machine.problems(Resources(cpus=cpus, gpus=gpus))) == (trials == 0)


@given(
    st.integers(0, 64),
    st.integers(0, 8),
    st.integers(0, 9),
    st.floats(0.05, 70),
    st.just(0) | st.floats(0.01, 1) | st.integers(1, 9),
    st.floats(0.01, 10),
)
def test_as_many_trials_fit_on_a_node_as_ray_starts(
    cpus: int, gpus: int, disks: int, asked_cpus: float, asked_gpus: float, asked_disks: float
) -> None:
    resources = Resources(cpus=asked_cpus, gpus=asked_gpus, custom={"disk": asked_disks})
    trials = Node(cpus, gpus, custom={"disk": disks}).trials_that_fit(resources)
    request = {"CPU": asked_cpus, "GPU": asked_gpus, "disk": asked_disks}
    assert RayNode({"CPU": cpus, "GPU": gpus, "disk": disks}).count(request, trials + 1) == trials


def test_this_machine_has_a_cpu_and_memory() -> None:
    (node,) = this_machine().nodes
    assert node.cpus >= 1
    assert node.memory_bytes > 0


def test_hidden_gpus_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert this_machine().gpus == 0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert this_machine().gpus == 2
