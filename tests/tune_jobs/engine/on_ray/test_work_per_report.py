"""The cost of a report in the driver, which does not depend on earlier reports: counted in calls, not in time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support.counting import calls_of
from tests.support.fakes import experiment
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.run_folder.recorder import CheckpointPruner, Recorder
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import Event
from tune_jobs.results.run import Run
from tune_jobs.schedulers import ASHA, NoScheduler, Scheduler
from tune_jobs.searchers import Random
from tune_jobs.views.progress.live import frame
from tune_jobs.views.progress.progress import Progress

EPOCHS = 5


class ProgressReporter:
    """Keeps the progress of a run, as the live view does."""

    def __init__(self, plan: Plan) -> None:
        self.progress = Progress.of(plan)

    def begin(self, plan: Plan) -> None:
        self.progress = Progress.of(plan)

    def event(self, event: Event) -> None:
        self.progress = self.progress.after(event)

    def end(self) -> None:
        """Nothing is shown, so nothing is taken away."""


class Driver:
    """Coordinator, recorder and the progress that a live view draws, fed by hand."""

    def __init__(self, folder: Path, scheduler: Scheduler) -> None:
        declared = experiment(trials=10_000, max_epochs=EPOCHS, searcher=Random(), scheduler=scheduler)
        plan: Any = {"folder": folder, "name": "run", "metric": "val_accuracy", "mode": "max", "trials": 10_000}
        limits: Any = {"max_epochs": EPOCHS, "total_epochs": None, "time_budget_s": None, "max_concurrent_trials": 2}
        self.reporter = ProgressReporter(Plan(**plan, **limits))
        pruner = CheckpointPruner(RetentionPolicy(declared.keep, declared.objective, lag=2), folder / "trials")
        self.recorder = Recorder(folder, self.reporter, pruner)
        self.coordinator = Coordinator(declared, self.recorder)
        self.coordinator.begin(cpus=2, gpus=0, max_concurrent_trials=2)

    def trial(self) -> list[int]:
        """Runs one more trial, and returns the number of calls of each of its reports."""
        proposal = self.coordinator.propose()
        assert isinstance(proposal, tuple)
        number, _ = proposal
        self.coordinator.start(number, "here")
        ended, counts = False, []
        while not ended:
            epoch = len(counts) + 1
            result = {"epoch": epoch, "metrics": {"val_accuracy": 0.5, "loss": 1.0}, "seconds": 1.0}

            def report(result: dict[str, Any] = {**result, "done": epoch == EPOCHS}) -> None:  # noqa: B006
                nonlocal ended
                ended = self.coordinator.report(number, result)

            counts.append(calls_of(report))
        return counts


@pytest.mark.parametrize("scheduler", [NoScheduler(), ASHA(grace_period=1, reduction_factor=3)])
def test_the_thousandth_trial_costs_what_the_thirtieth_did(tmp_path: Path, scheduler: Scheduler) -> None:
    driver = Driver(tmp_path, scheduler)
    for _ in range(30):
        driver.trial()
    early = driver.trial()
    for _ in range(300):
        driver.trial()
    late = driver.trial()
    driver.recorder.close()
    assert [after - before for before, after in zip(early, late, strict=False) if after > before + 10] == []
    assert max(late[:-1]) < 180


def test_a_refresh_of_the_live_view_does_not_depend_on_the_trials_that_have_ended(tmp_path: Path) -> None:
    driver = Driver(tmp_path, NoScheduler())
    screen = Console(file=io.StringIO(), width=100, height=30)
    drawn = []
    for trials in (20, 200):
        for _ in range(trials):
            driver.trial()
        progress = driver.reporter.progress
        drawn.append(calls_of(lambda: screen.print(frame(progress, 1e9, 100, 30))))  # noqa: B023
    driver.recorder.close()
    few, many = drawn
    assert many < 1.1 * few  # longer numbers take a few more


def test_a_leaderboard_reads_the_journal_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import click.testing

    from tune_jobs.cli.main import main
    from tune_jobs.engine.run_folder.create import create_folder

    folder = create_folder(tmp_path, "run", experiment(), "run")
    driver = Driver(folder, NoScheduler())
    driver.trial()
    driver.recorder.close()
    reads, events = [], Run.events
    monkeypatch.setattr(Run, "events", lambda run: reads.append(run) or events(run))
    outcome = click.testing.CliRunner().invoke(main, ["leaderboard", str(folder)])
    assert outcome.exit_code == 0, outcome.output
    assert len(reads) == 1
