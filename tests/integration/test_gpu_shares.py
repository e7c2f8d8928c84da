"""Ray gives each trial the share that it has come to, on GPUs that only Ray believes in."""

from __future__ import annotations

from pathlib import Path

import pytest

import tune_jobs
from tests.support import share_lab
from tune_jobs import Resources
from tune_jobs.results import EpochReported, Noted, Status, TrialStarted

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def one_gpu(ray_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")  # which nobody looks for, but counts
    monkeypatch.setenv("RAY_TMPDIR", str(ray_folder))


def _starts(run: tune_jobs.Run) -> dict[int, list[float | None]]:
    started: dict[int, list[float | None]] = {}
    for event in run.events():
        if isinstance(event, TrialStarted):
            started.setdefault(event.trial, []).append(event.gpus)
    return started


def test_a_trial_that_runs_out_of_memory_gets_twice_the_share_and_the_gpu_is_never_overfull(
    one_gpu: None, tmp_path: Path
) -> None:
    declared = share_lab.experiment(0.1, 0.4, 0.2, 0.9, 0.15, 2.0, on_oom="grow")
    run = tune_jobs.run(declared, storage=tmp_path)
    starts = _starts(run)
    assert starts == {0: [0.25], 1: [0.25, 0.5], 2: [0.25], 3: [0.25, 0.5, 1.0], 4: [0.25], 5: [0.25, 0.5, 1.0]}
    trials = run.history().trials
    assert [trials[number].status for number in range(6)] == [Status.COMPLETED] * 5 + [Status.OUT_OF_MEMORY]
    for event in run.events():
        if isinstance(event, EpochReported):
            assert (event.metrics["gpus"], event.metrics["visible"]) == (starts[event.trial][-1], 0)


def test_the_first_trials_are_measured_and_the_others_share(one_gpu: None, tmp_path: Path) -> None:
    declared = share_lab.experiment(0.35, 0.34, 0.33, 0.2, 0.25, 0.28, 0.9, resources=Resources(cpus=0.25, gpus="auto"))
    run = tune_jobs.run(declared, storage=tmp_path)
    assert _starts(run) == {
        **{number: [1.0] for number in range(3)},
        **{number: [0.3333] for number in range(3, 6)},
        6: [0.3333, 0.6666, 1.0],
    }
    (settled, *_) = [event.text for event in run.events() if isinstance(event, Noted) and event.trial is None]
    assert "from now on, 3 share one" in settled
