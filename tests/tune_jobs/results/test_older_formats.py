"""Runs of every format that ever was: each is read, evaluated, exported, and its trials go on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import tune_jobs
from trainables import TrialSettings
from trainables.settings import ControlValues
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.fields import FIELDS
from tune_jobs.experiment.record import differences, restore_experiment
from tune_jobs.loading.importing import import_file
from tune_jobs.results import Status
from tune_jobs.results.layout import TRIALS_FOLDER
from tune_jobs.results.run import Run

DATA = Path(__file__).parents[2] / "data" / "formats"
RUNS = sorted((path.parent.name for path in DATA.glob("*/experiment.json")), key=lambda name: int(name.split("-")[0]))


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    module = import_file(DATA / "lab.py")
    return replace(module.EXPERIMENT, seed=1)


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    return Run(shutil.copytree(DATA / request.param, tmp_path / request.param))


LONG = [pytest.mark.integration, pytest.mark.slow]
QUICK = (RUNS[0], RUNS[4], RUNS[-1])

each_format = pytest.mark.parametrize("run", RUNS, indirect=True)
some_formats = pytest.mark.parametrize(
    "run", [pytest.param(name, marks=() if name in QUICK else LONG) for name in RUNS], indirect=True
)


def test_there_is_a_run_of_each_format() -> None:
    assert [int(name.partition("-")[0]) for name in RUNS] == list(range(1, len(RUNS) + 1))
    newest = json.loads((DATA / RUNS[-1] / "experiment.json").read_text())
    assert set(FIELDS) <= newest.keys(), "a field was added: add a run that has it"


@each_format
def test_the_leaderboard_of_an_older_run_is_whole(run: Run) -> None:
    board, notes = run.leaderboard_and_notes()
    assert notes == []
    assert board["rank"].tolist() == [1, 2, 3]
    assert set(board["status"]) == {Status.COMPLETED, Status.STOPPED}
    assert board["epochs"].max() == 3
    assert run.history().is_finished
    assert run.curves().shape == (3, 3)


@each_format
def test_an_older_run_is_evaluated_and_exported(run: Run, experiment: Experiment, tmp_path: Path) -> None:
    written, _ = run.test_scores(run.history())
    (evaluation,) = tune_jobs.evaluate(run, experiment)
    number = evaluation.ranked.trial.trial
    assert evaluation.epoch == evaluation.ranked.best.epoch
    if written:
        assert evaluation.scored.metrics == pytest.approx(written[number].metrics, rel=1e-5)
    assert tune_jobs.export(run, experiment, tmp_path / "best.keras").epoch == evaluation.epoch
    assert run.load_best_model().count_params() == evaluation.ranked.trial.config["units"] * 5 + 2


@each_format
def test_an_older_run_goes_on_with_its_options(run: Run, experiment: Experiment) -> None:
    restored = restore_experiment(experiment, run.experiment)
    assert differences(restored, run.experiment) == []
    assert (restored.trials, restored.max_epochs, restored.executions) == (3, 3, 1)


@some_formats
def test_a_trial_of_an_older_run_goes_on_from_its_checkpoint(run: Run, experiment: Experiment) -> None:
    trial = next(trial for trial in run.history().trials.values() if trial.status is Status.COMPLETED)
    settings = TrialSettings(metric="val_accuracy", max_epochs=4, folder=str(run.folder / TRIALS_FOLDER), seed=1)
    config = ControlValues(trial.trial, reported=2).wrap(dict(trial.config))
    worker = experiment.trainable.standalone(config, settings=settings)
    again, fourth = worker.step(), worker.step()
    worker.cleanup()
    assert (again["epoch"], fourth["epoch"]) == (3, 4)
    assert dict(again["metrics"]) == dict(trial.epochs[3].metrics)
    assert "notes" not in again
    assert json.loads((run.folder / TRIALS_FOLDER / f"{trial.trial:04}" / "epoch-000004" / "state.json").read_text())
