"""Problems that are found before anything is sent, from the request and from the state of the cluster."""

from __future__ import annotations

import pytest

from tune_jobs.cluster.jobs.preflight import (
    fit_notes,
    fit_problems,
    python_notes,
    storage_problems,
    version_problems,
)
from tune_jobs.cluster.jobs.state import ClusterState
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Node

HEAD = Node.from_ray({"CPU": 4.0, "memory": 8e9, "node:10.0.0.1": 1.0}, "10.0.0.1")
IDLE_HEAD = Node.from_ray({"memory": 8e9}, "10.0.0.1")
GPU_NODE = Node.from_ray({"CPU": 16.0, "GPU": 4.0, "memory": 64e9, "a100": 4.0}, "10.0.0.2")


def cluster(*nodes: Node, is_autoscaled: bool = False) -> ClusterState:
    return ClusterState("3.11.7", nodes, is_autoscaled)


ALONE, SEVERAL = cluster(HEAD), cluster(IDLE_HEAD, GPU_NODE)


@pytest.mark.parametrize("ours", ["2.60.0", "2.60.9"])
def test_the_last_number_of_rays_version_may_differ(ours: str) -> None:
    assert version_problems("2.60.0", ours) == []


@pytest.mark.parametrize("theirs", ["2.59.1", "2.61.0", "3.60.0", "2.6.0"])
def test_another_minor_version_of_ray_is_refused_with_what_to_install(theirs: str) -> None:
    [problem] = version_problems(theirs, "2.60.0")
    wanted = theirs.rpartition(".")[0]
    assert f"runs Ray {theirs}, but here is Ray 2.60.0" in problem
    assert f"ray[default]=={wanted}.*" in problem


def test_another_python_is_worth_a_note_only() -> None:
    assert python_notes("3.11.7", "3.11.2") == []
    assert "Python 3.12.1" in python_notes("3.12.1", "3.11.2")[0]


@pytest.mark.parametrize("where", [ALONE, SEVERAL, cluster(HEAD, is_autoscaled=True), None])
@pytest.mark.parametrize("storage", ["/mnt/runs", "~/runs"])
def test_a_path_that_may_be_shared_is_left_to_the_run_to_check(storage: str | None, where: ClusterState | None) -> None:
    assert storage_problems(storage, where) == []


def test_one_node_needs_no_storage_to_be_named() -> None:
    assert storage_problems(None, ALONE) == []


@pytest.mark.parametrize("storage", [None, "runs", "./runs"])
def test_several_nodes_need_a_storage_that_all_see(storage: str | None) -> None:
    [problem] = storage_problems(storage, SEVERAL)
    assert "The cluster has 2 nodes" in problem
    assert "--storage /mnt/runs" in problem
    [problem] = storage_problems(storage, cluster(HEAD, is_autoscaled=True))
    assert "may get more nodes" in problem


def test_a_relative_path_would_be_removed_with_the_jobs_folder() -> None:
    [problem] = storage_problems("runs", ALONE)
    assert "'runs'" in problem
    assert "removed by Ray" in problem
    assert storage_problems("runs", None) == [problem]


@pytest.mark.parametrize("uri", ["s3://bucket/runs", "gs://b", "s3://b/r?endpoint_override=10.0.0.1:9000&scheme=http"])
def test_a_bucket_is_left_to_the_run_to_try(uri: str) -> None:
    assert storage_problems(uri, SEVERAL) == storage_problems(uri, None) == []


def test_uris_that_no_job_can_have_are_refused() -> None:
    for uri, rule in (
        ("ftp://host/runs", "ftp:// is no kind of storage that is known"),
        ("s3://", "must name a bucket"),
        ("file:///mnt/runs", "must be the path itself"),
        ("s3://key:secret@bucket/runs", "'s3://bucket/runs' with credentials, which the cluster would show"),
    ):
        [problem] = storage_problems(uri, SEVERAL)
        assert rule in problem
        assert "secret" not in problem


@pytest.mark.parametrize(
    "resources",
    [
        Resources(cpus=16),
        Resources(cpus=1, gpus=0.25),
        Resources(cpus=1, gpus=4),
        Resources(gpus="auto"),
        Resources(memory_bytes=64 * 10**9),
        Resources(custom={"a100": 4}),
    ],
)
def test_a_trial_that_fits_on_one_node_is_accepted(resources: Resources) -> None:
    assert fit_problems(resources, SEVERAL) == []
    assert fit_notes(resources, SEVERAL) == []


@pytest.mark.parametrize(
    ("resources", "requested"),
    [
        (Resources(cpus=17), "17 CPU"),
        (Resources(cpus=1, gpus=8), "1 CPU, 8 GPU"),
        (Resources(memory_bytes=65 * 10**9), "6.5e+10 memory"),
        (Resources(custom={"h100": 1}), "1 h100"),
    ],
)
def test_a_trial_that_fits_on_no_node_is_refused(resources: Resources, requested: str) -> None:
    [problem] = fit_problems(resources, SEVERAL)
    assert requested in problem
    assert "10.0.0.2: " in problem


def test_one_trial_never_gets_the_resources_of_two_nodes() -> None:
    assert fit_problems(Resources(cpus=6), cluster(HEAD, HEAD))


def test_an_autoscaler_may_bring_what_no_node_has() -> None:
    scaled = cluster(IDLE_HEAD, is_autoscaled=True)
    assert fit_problems(Resources(gpus=1), scaled) == []
    assert "wait until the autoscaler" in fit_notes(Resources(gpus=1), scaled)[0]


def test_a_large_cluster_is_told_in_a_few_nodes() -> None:
    [problem] = fit_problems(Resources(cpus=64), cluster(*[HEAD] * 40))
    assert "and 35 more" in problem
