"""Runs on a cluster of several nodes, all of them on this machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray

import tune_jobs
from tests.support import idle_lab, sources, tiny_lab
from tune_jobs import Resources
from tune_jobs.engine import Plan
from tune_jobs.errors import RequestError
from tune_jobs.results import EpochReported, Event, Noted, RunStarted, TrialEnded, TrialStarted, read_journal
from tune_jobs.results.layout import JOURNAL_FILE
from tune_jobs.results.run import Run

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

SMALL = {"object_store_memory": 80_000_000}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head without trials."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **SMALL})
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    yield made
    made.shutdown()
    assert not ray.is_initialized()


def events(run: Run) -> list[Event]:
    return list(read_journal(run.folder / JOURNAL_FILE))


def most_at_once(told: list[Event]) -> dict[str, int]:
    """How many trials each node had at a time, at most."""
    now: dict[str, set[int]] = {}
    most: dict[str, int] = {}
    for event in sorted(told, key=lambda event: event.time_s):
        if isinstance(event, TrialStarted):
            now.setdefault(event.node, set()).add(event.trial)
            most[event.node] = max(most.get(event.node, 0), len(now[event.node]))
        elif isinstance(event, TrialEnded):
            for trials in now.values():
                trials.discard(event.trial)
    return most


def test_quarters_of_a_gpu_are_shared_by_four_trials_and_never_by_more(cluster: Any, tmp_path: Path) -> None:
    for _ in range(3):
        cluster.add_node(num_cpus=1, num_gpus=1, **SMALL)
    quarter = Resources(cpus=0.25, gpus=0.25)
    trials = idle_lab.experiment(idle_lab.Idle, tmp_path, trials=15, max_epochs=8, resources=quarter)
    run = tune_jobs.run(trials, storage=tmp_path, name="quarters")
    assert len(run.leaderboard()) == 15
    told = events(run)
    assert isinstance(told[0], RunStarted)
    assert (told[0].nodes, told[0].cpus, told[0].gpus, told[0].max_concurrent_trials) == (4, 3, 3, 12)
    assert list(most_at_once(told).values()) == [4, 4, 4]
    assert set(run.leaderboard()["node"]) == set(most_at_once(told))


class Disaster:
    """Starts a node when a trial has done three epochs, and when it is used, kills the one of that trial."""

    def __init__(self, cluster: Any, nodes: list[Any], gate: Path) -> None:
        self._cluster = cluster
        self._nodes = nodes
        self._gate = gate
        self._node_names: dict[int, str] = {}
        self.victim: int | None = None
        self.killed_s = 0.0
        ray_command = str(Path(sys.executable).with_name("ray"))
        self._join = [ray_command, "start", f"--address={cluster.address}", "--num-cpus=1", "--block"]
        self._newcomer: subprocess.Popen[bytes] | None = None

    def begin(self, plan: Plan) -> None:
        pass

    def event(self, event: Event) -> None:
        if isinstance(event, TrialStarted):
            # The third to start need not be trial 2: the longest of the last trials start first.
            is_third = event.trial not in self._node_names and len(self._node_names) == 2
            self._node_names.setdefault(event.trial, event.node)
            if is_third and self.victim is not None:
                self._kill(self._node_names[self.victim].rpartition("-")[2])
                self.killed_s = time.time()
        if isinstance(event, EpochReported) and event.epoch == 3 and self.victim is None:
            self.victim = event.trial
            self._newcomer = subprocess.Popen(self._join, env={**os.environ, "RAY_AUTH_MODE": "disabled"})
        if isinstance(event, Noted) and event.trial == self.victim and self.killed_s:
            self._gate.touch()

    def end(self) -> None:
        if self._newcomer is not None:
            self._newcomer.terminate()
            self._newcomer.wait(60)

    def _kill(self, begin_of_id: str) -> None:
        (node,) = [node for node in self._nodes if node.node_id.startswith(begin_of_id)]
        self._cluster.remove_node(node, allow_graceful=False)


def test_a_node_that_joins_is_used_and_one_that_dies_costs_the_epoch_in_progress(cluster: Any, tmp_path: Path) -> None:
    marker = tmp_path / "trained"
    marker.mkdir()
    disaster = Disaster(cluster, [cluster.add_node(num_cpus=1, **SMALL) for _ in range(2)], marker / "gate")
    gated = idle_lab.experiment(idle_lab.Gated, marker, trials=4, max_epochs=6)
    run = tune_jobs.run(gated, storage=tmp_path, name="killed", reporter=disaster)
    victim, told = disaster.victim, events(run)
    assert [trial.status for trial in run.history().trials.values()] == ["completed"] * 4
    starts = [event for event in told if isinstance(event, TrialStarted)]
    first, *later = [event.node for event in starts if event.trial == victim]
    assert len(later) == 1
    assert first not in later
    assert len({event.node for event in starts}) == 3
    trained = [int(epoch) for epoch in (marker / str(victim)).read_text().split()]
    assert trained == [1, 2, 3, 4, 4, 5, 6]
    notes = [event for event in told if isinstance(event, Noted)]
    (death,) = [event for event in notes if event.trial == victim]
    assert "its worker died, another worker continues the trial (retry 1 of 3)" in death.text
    assert death.time_s - disaster.killed_s < 60
    changes = [event.text for event in notes if event.trial is None]
    assert changes[0] == "The cluster has 4 nodes now: 3 trials fit side by side."
    # Ray takes a dead node off its list some seconds after its workers are gone: the run may have ended by then.
    assert changes[1:] in ([], ["The cluster has 3 nodes now: 2 trials fit side by side."])


def test_a_trial_whose_worker_died_is_kept_away_from_its_node(cluster: Any, tmp_path: Path) -> None:
    for _ in range(2):
        cluster.add_node(num_cpus=1, **SMALL)
    dies = tiny_lab.experiment(tmp_path / "died", "dies once", max_concurrent_trials=1)
    run = tune_jobs.run(dies, storage=tmp_path, name="steered")
    assert [trial.status for trial in run.history().trials.values()] == ["completed"]
    first, second = [event.node for event in events(run) if isinstance(event, TrialStarted)]
    assert first != second


def test_what_fits_on_no_node_is_told_at_once(cluster: Any, tmp_path: Path) -> None:
    cluster.add_node(num_cpus=1, **SMALL)
    cluster.add_node(num_cpus=2, **SMALL)
    large = idle_lab.experiment(idle_lab.Idle, tmp_path, trials=1, resources=Resources(cpus=3))
    with pytest.raises(RequestError, match=r"`cpus` is 3, but the largest node of the cluster \(.*\) has 2"):
        tune_jobs.run(large, storage=tmp_path / "runs", name="large")
    ray.shutdown()
    assert not (tmp_path / "runs").exists()


def test_each_node_opens_what_cannot_be_sent_and_a_file_that_only_the_driver_has_is_told_with_the_node(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        cluster.add_node(num_cpus=1, **SMALL)
    np.save(tmp_path / "x.npy", sources.X)
    monkeypatch.setenv("TESTED_FILE", str(tmp_path / "x.npy"))  # the nodes have started without it
    only_here = idle_lab.experiment(sources.OfFile, tmp_path, trials=2, max_epochs=2)
    with pytest.raises(RequestError) as caught:
        tune_jobs.run(only_here, storage=tmp_path, name="only_here")
    (problem,) = caught.value.problems
    assert (
        f"A worker on the node {platform.node()} cannot open the data: OfFile.load_data raised FileNotFoundError"
        in problem
    )
    assert "/nowhere/x.npy" in problem
    assert not (tmp_path / "only_here").exists(), "no epoch was trained"
    everywhere = idle_lab.experiment(sources.OfAnyFile, tmp_path, trials=2, max_epochs=8)
    run = tune_jobs.run(everywhere, storage=tmp_path, name="everywhere")
    assert [trial.status for trial in run.history().trials.values()] == ["completed"] * 2
    (started,) = [event for event in events(run) if isinstance(event, RunStarted)]
    assert (started.data, started.nodes) == ("opened by each worker", 3)
    assert len({event.node for event in events(run) if isinstance(event, TrialStarted)}) == 2
