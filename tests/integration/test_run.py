"""Runs on a real local Ray with real models, through the Python interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import ray

import tune_jobs
from search_spaces import Choice, Float, SearchSpace
from tests.support import tiny_lab
from trainables.examples.digits_mlp import DigitsMlp
from trainables.storage.checkpoint import DiskCheckpoints
from tune_jobs.base.clock import SteadyClock
from tune_jobs.errors import RunFailed
from tune_jobs.examples.digits_mlp import EXPERIMENT
from tune_jobs.results import Status, TrialStarted, read_journal
from tune_jobs.results.formats import to_parquet
from tune_jobs.results.run import Run
from tune_jobs.searchers import Random

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run of the shipped experiment, smaller than shipped."""
    experiment = EXPERIMENT.override(trials=7, max_epochs=9, seed=1)
    yield tune_jobs.run(experiment, storage=tmp_path_factory.mktemp("runs"), name="digits")
    assert not ray.is_initialized()


@pytest.fixture(scope="module")
def behaving(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One trial of each kind of behaviour."""
    folder = tmp_path_factory.mktemp("behaving")
    behaviours = ("hangs", "good", "raises", "diverges", "dies in reset", "dies once", "ends itself", "out of memory")
    behaviours += ("loses its objective",)
    experiment = tiny_lab.experiment(folder / "died", *behaviours, trial_timeout_s=60.0, max_concurrent_trials=2)
    return tune_jobs.run(experiment, storage=folder, name="lab")


def test_every_trial_is_on_the_leaderboard_with_typed_columns(digits: Run) -> None:
    board = digits.leaderboard()
    assert sorted(board["trial"]) == list(range(7))
    assert list(board["rank"]) == list(range(1, 8))
    assert board["val_accuracy"].is_monotonic_decreasing
    assert set(board["status"]) <= {"completed", "stopped"}
    assert board["units_0"].dtype == "Int64"
    assert board["learning_rate"].dtype == "Float64"
    assert board["optimizer"].dtype == "string"
    assert (board["momentum"].isna() == (board["optimizer"] != "sgd")).all()
    assert (board["units_2"].isna() == (board["layers"] < 3)).all()


def test_the_search_found_something(digits: Run) -> None:
    assert digits.leaderboard()["val_accuracy"].max() >= 0.93


def test_the_leaderboard_survives_parquet(digits: Run, tmp_path: Path) -> None:
    (tmp_path / "board.parquet").write_bytes(to_parquet(digits.leaderboard()))
    again = pd.read_parquet(tmp_path / "board.parquet")
    pd.testing.assert_frame_equal(again, digits.leaderboard(), check_dtype=False)
    assert again["layers"].dtype.kind in "iI" or str(again["layers"].dtype) == "Int64"


def test_curves_have_a_row_a_trial_and_a_column_an_epoch(digits: Run) -> None:
    curves = digits.curves()
    board = digits.leaderboard().set_index("trial")
    assert list(curves.columns) == list(range(1, int(board["epochs"].max()) + 1))
    for trial, curve in curves.iterrows():
        assert curve.count() == board.loc[trial, "epochs"]
        assert curve.max() == board.loc[trial, "val_accuracy"]


def test_the_best_model_has_the_weights_of_its_best_epoch(digits: Run) -> None:
    x, y = DigitsMlp.standalone().load_data().validation
    model = digits.load_best_model()
    _, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy == pytest.approx(digits.leaderboard()["val_accuracy"].iloc[0], abs=1e-6)
    assert digits.space.contains(digits.best_config)


def test_the_journal_tells_what_was_used_and_how_it_ended(digits: Run) -> None:
    asked = digits.experiment
    assert (asked["trials"], asked["max_epochs"], asked["seed"]) == (7, 9, 1)
    history = digits.history()
    assert history.reason == "all trials"
    assert history.latest_start.max_concurrent_trials >= 1
    for line in (digits.folder / "journal.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not standard JSON"))


def test_the_noise_is_in_the_log_and_nothing_of_ray_is_left(digits: Run) -> None:
    assert "pid=" in (digits.folder / "logs" / "ray.log").read_text()
    assert sorted(path.name for path in digits.folder.iterdir()) == [
        "experiment.json",
        "journal.jsonl",
        "lock",
        "logs",
        "trials",
    ]


def behaved(run: Run, behaviour: str) -> object:
    return next(trial for trial in run.history().trials.values() if trial.config["behaviour"] == behaviour)


def test_a_raising_trial_is_a_row_with_its_reason_and_its_traceback(behaving: Run) -> None:
    trial = behaved(behaving, "raises")
    assert (trial.status, trial.error) == (Status.FAILED, "ValueError: this configuration never works")
    text = (behaving.folder / "trials" / f"{trial.trial:04d}" / "error.txt").read_text()
    assert "build_model" in text
    assert "never works" in text


def test_a_nan_objective_is_a_diverged_trial(behaving: Run) -> None:
    trial = behaved(behaving, "diverges")
    assert (trial.status, trial.reason) == (Status.DIVERGED, "val_loss is nan at epoch 1")
    row = behaving.leaderboard().set_index("trial").loc[trial.trial]
    assert pd.isna(row["rank"])
    assert row["epochs"] == 1


def test_a_trial_whose_worker_died_continues_from_its_checkpoint(behaving: Run) -> None:
    trial = behaved(behaving, "dies once")
    assert trial.status is Status.COMPLETED
    assert list(trial.epochs) == [1, 2, 3, 4]
    starts = [
        event
        for event in read_journal(behaving.folder / "journal.jsonl")
        if isinstance(event, TrialStarted) and event.trial == trial.trial
    ]
    assert len(starts) == 2
    trained = Path(trial.config["marker"]).read_text().split()
    # The files of the second epoch's checkpoint are written while the third is trained: they may not be whole.
    assert trained in (["1", "2", "3", "3", "4"], ["1", "2", "3", "2", "3", "4"])


def test_a_trial_whose_worker_dies_while_it_takes_the_trial_over_is_continued(behaving: Run) -> None:
    trial = behaved(behaving, "dies in reset")
    assert (trial.status, len(trial.epochs)) == (Status.COMPLETED, 4)
    (note,) = [note for note in behaving.history().notes if note.trial == trial.trial]
    assert note.text.startswith("its worker died, another worker continues the trial (retry 1 of 3): The actor died")


def test_out_of_memory_is_a_status_of_its_own(behaving: Run) -> None:
    trial = behaved(behaving, "out of memory")
    assert (trial.status, trial.error) == (Status.OUT_OF_MEMORY, "MemoryError: Unable to allocate 7.28 TiB")


def test_a_model_that_stops_reporting_the_objective_is_a_failed_trial_with_its_best_epoch(behaving: Run) -> None:
    trial = behaved(behaving, "loses its objective")
    assert (trial.status, list(trial.epochs)) == (Status.FAILED, [1])
    assert "The objective `val_loss` is not among the metrics" in trial.error


def test_a_trial_that_hangs_is_ended_and_not_retried(behaving: Run) -> None:
    trial = behaved(behaving, "hangs")
    assert (trial.status, trial.reason, list(trial.epochs)) == (Status.FAILED, "timed out", [1])
    assert trial.error == "Timed out after 60 s without a finished epoch."


def test_early_stopping_completes_a_trial(behaving: Run) -> None:
    trial = behaved(behaving, "ends itself")
    assert trial.status is Status.COMPLETED
    assert trial.reason == "stopped itself at epoch 2"


@pytest.mark.usefixtures("warm")
def test_a_run_of_nothing_but_failures_failed(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match=r"All 1 trials failed; trial 0: ValueError: this configuration never works"):
        tune_jobs.run(tiny_lab.experiment(tmp_path, "raises"), storage=tmp_path, name="failing")


@pytest.mark.usefixtures("warm")
def test_total_epochs_end_a_run_exactly(tmp_path: Path) -> None:
    fields = {"total_epochs": 7, "max_concurrent_trials": 2, "trials": 9, "searcher": Random()}
    fields |= {"executions": 2, "fraction": 0.5}  # an epoch of both is one; 192 examples are 2 batches instead of 3
    space = SearchSpace(behaviour=Choice("good"), marker=Choice("unused"), unit=Float(0.0, 1.0))
    run = tune_jobs.run(tiny_lab.experiment(tmp_path, "good", space=space, **fields), storage=tmp_path, name="seven")
    history = run.history()
    assert sum(len(trial.epochs) for trial in history.trials.values()) == 7
    assert history.reason == "total epochs"
    assert (run.leaderboard()["val_loss_std"] > 0).all()
    saved = DiskCheckpoints(run.folder / "trials" / "0000").newest()
    assert saved.group("executions/1/optimizer")[0] == 2 * saved.state["epoch"]


@pytest.mark.usefixtures("warm")
def test_a_time_budget_ends_a_run_and_what_was_running_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour passes when the trial has a checkpoint, however long that takes on this machine."""
    budget_s = 3600.0
    endless = tiny_lab.experiment(tmp_path, "good", max_epochs=1_000_000, time_budget_s=budget_s)
    now = SteadyClock.__call__

    def clock(self: SteadyClock) -> float:
        return now(self) + budget_s * any((tmp_path / "short" / "trials").glob("*/epoch-*"))

    monkeypatch.setattr(SteadyClock, "__call__", clock)
    run = tune_jobs.run(endless, storage=tmp_path, name="short")
    history = run.history()
    assert history.reason == "time budget"
    assert [str(trial.status) for trial in history.trials.values()] == ["interrupted"]
    assert budget_s <= history.ended_s - history.latest_start.time_s < budget_s + 300
    assert run.load_best_model().count_params() == 10
