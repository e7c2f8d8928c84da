"""The number of trials that fit on a cluster, and the notes and problems about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ray_node import RayNode
from tune_jobs.cluster.launcher.fitting import concurrent_trials, fitting_notes, fitting_problems, trials_on
from tune_jobs.cluster.launcher.launcher_file import LauncherFile, NodeType
from tune_jobs.experiment.resources import Resources
from tune_jobs.views.reports.launcher import report

HEAD = NodeType("head", {"CPU": 0, "GPU": 0, "memory": None}, 0, 0, is_head=True)
GPU = NodeType("gpu", {"CPU": 48, "GPU": 4, "memory": None}, 0, 8)
CPU = NodeType("cpu", {"CPU": 16, "memory": None}, 1, 2)
SOMETIME = NodeType("sometime", {"CPU": None, "GPU": None, "memory": None}, 0, 2)


def cluster(*workers: NodeType, head: NodeType = HEAD, max_workers: int = 4, provider: str = "aws") -> LauncherFile:
    return LauncherFile("ours", provider, (head, *workers), max_workers)


@pytest.mark.parametrize(
    ("node_type", "resources", "trials"),
    [
        (GPU, Resources(gpus=0.25), 16),
        (GPU, Resources(gpus=0.3), 12),
        (GPU, Resources(gpus=0.6), 4),  # two trials at 0.6 never share a GPU, and no trial has two halves
        (GPU, Resources(gpus=1 / 3), 12),
        (GPU, Resources(gpus=2), 2),
        (GPU, Resources(gpus=3), 1),
        (GPU, Resources(gpus="auto"), 4),
        (GPU, Resources(cpus=8, gpus=0.25), 6),
        (GPU, Resources(gpus=8), 0),
        (GPU, Resources(custom={"a100": 1}), 0),
        (CPU, Resources(), 16),
        (CPU, Resources(gpus=0.5), 0),
        (SOMETIME, Resources(gpus=1), None),
        (SOMETIME, Resources(custom={"a100": 1}), 0),
        (GPU, Resources(memory_bytes=1), None),
        (HEAD, Resources(), 0),
    ],
)
def test_trials_on_a_node(node_type: NodeType, resources: Resources, trials: int | None) -> None:
    assert trials_on(node_type, resources) == trials


def test_the_workers_of_all_kinds_together_are_limited() -> None:
    assert concurrent_trials(cluster(GPU, CPU), Resources(cpus=4)) == 4 * 12
    assert concurrent_trials(cluster(GPU, CPU, max_workers=9), Resources(cpus=4)) == 8 * 12 + 4
    assert concurrent_trials(cluster(GPU, SOMETIME), Resources()) is None


def test_a_resource_that_fits_nowhere_is_told_with_the_most_that_a_node_has() -> None:
    assert fitting_problems(cluster(GPU, CPU), Resources(cpus=64, gpus=8)) == [
        "resources: The value of `cpus` is 64, but no node has more than 48: no trial could start. "
        "Ask for less, or take larger nodes.",
        "resources: The value of `gpus` is 8, but no node has more than 4: no trial could start. "
        "Ask for less, or take larger nodes.",
    ]


def test_resources_that_no_node_has_together_are_told() -> None:
    a, b = NodeType("a", {"CPU": 8}, 0, 1), NodeType("b", {"CPU": 1, "GPU": 1}, 0, 1)
    (problem,) = fitting_problems(cluster(a, b), Resources(cpus=8, gpus=1))
    assert "none has them all" in problem


def test_a_cluster_of_a_head_alone_runs_nothing() -> None:
    assert "The head has no CPUs" in fitting_problems(cluster(max_workers=0), Resources())[0]
    never = NodeType("never", {"CPU": 8}, 0, 0)
    assert "The head has no CPUs" in fitting_problems(cluster(never), Resources())[0]


def test_resources_that_are_not_known_yet_are_not_refused() -> None:
    assert fitting_problems(cluster(SOMETIME), Resources(cpus=500)) == []


def test_a_fraction_that_does_not_divide_is_pointed_out_with_the_nearest_that_does() -> None:
    (note,) = fitting_notes(cluster(GPU), Resources(gpus=0.3))
    assert "`gpus` is 0.3, which does not divide a GPU: 0.1 of each stays unused" in note
    assert "The nearest that does is 0.3333" in note
    assert "with 0.25 one more fits" in note
    assert "The nearest that does is 0.2:" in fitting_notes(cluster(GPU), Resources(gpus=0.21))[0]
    assert "The nearest that does is 1:" in fitting_notes(cluster(GPU), Resources(gpus=0.9))[0]


@given(st.integers(1, 20), st.booleans())
def test_a_fraction_that_divides_is_not(trials: int, rounded: bool) -> None:
    gpus = round(1 / trials - 5e-5, 4) if rounded else 1 / trials
    assert fitting_notes(cluster(GPU), Resources(cpus=0.1, gpus=gpus)) == []


def test_a_head_that_would_run_trials_is_pointed_out() -> None:
    head = NodeType("head", {"CPU": 2}, 0, 0, is_head=True)
    assert (
        "2 trials may run on the head (head), beside the run itself"
        in fitting_notes(cluster(head=head), Resources())[0]
    )
    assert "give it resources: {CPU: 0}" in fitting_notes(cluster(head=head), Resources())[0]
    unknown = NodeType("head", {"CPU": None}, 0, 0, is_head=True)
    (note,) = fitting_notes(cluster(head=unknown, provider="local"), Resources())
    assert note.startswith("trials may run")
    assert "--num-cpus=0" in note
    assert fitting_notes(cluster(GPU, head=head), Resources(gpus=1)) == []


def test_gpus_that_something_else_keeps_idle_are_pointed_out() -> None:
    (note,) = fitting_notes(cluster(GPU), Resources(cpus=8, gpus=0.25))
    assert note == (
        "gpu: its GPUs are enough for 16 trials, but its CPU for 6: ask for less `cpus`, or some of the GPUs stay idle."
    )


def test_the_report_says_why_so_many() -> None:
    text = report(cluster(GPU, CPU), Resources(gpus=0.25))
    assert text.splitlines() == [
        "ours on aws: 4 workers at most",
        "",
        "head  the head, each with 0 CPUs, 0 GPUs",
        "      no trial: one asks for 1 CPU",
        "gpu   0 to 8 workers, each with 48 CPUs, 4 GPUs",
        "      48 CPUs a node / 1 a trial = 48 trials a node",
        "      4 GPUs a node / 0.25 a trial = 16 trials a node",
        "      so 16 trials a node",
        "cpu   1 to 2 workers, each with 16 CPUs",
        "      no trial: one asks for 0.25 GPUs",
        "",
        "side by side, when all nodes are there: 64 trials",
    ]


def test_the_report_cannot_steer_a_terminal() -> None:
    evil = NodeType("\x1b[2J", {"\x1b]0;x\x07": 1}, 0, 1)
    assert "\x1b" not in report(cluster(evil), Resources())


AMOUNTS = st.integers(1, 64)


@given(AMOUNTS, AMOUNTS, st.floats(0.1, 70), st.one_of(st.floats(0.01, 1), st.integers(1, 9)))
def test_as_many_as_fit_and_not_one_more(cpus: int, gpus: int, asked_cpus: float, asked_gpus: float) -> None:
    node_type = NodeType("any", {"CPU": cpus, "GPU": gpus}, 0, 1)
    trials = trials_on(node_type, Resources(cpus=asked_cpus, gpus=asked_gpus))
    assert trials is not None
    request = {"CPU": asked_cpus, "GPU": asked_gpus}
    assert RayNode({"CPU": cpus, "GPU": gpus}).count(request, trials + 1) == trials
