"""The printed forms of a search that no script of KerasTuner's knows: epochs, and what trials met."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

import tune_jobs.keras_tuner as kt
from tune_jobs.engine import Plan
from tune_jobs.keras_tuner import display
from tune_jobs.keras_tuner.display import SearchDisplay
from tune_jobs.results import EpochReported, ParametersMet, Status, TrialEnded, TrialStarted


class Shift(kt.RandomSearch):
    """Searches one number."""

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
        return float(trial.hyperparameters.Float("x", 0.0, 1.0))


def shown(folder: Path, verbose: Any, max_epochs: int = 4) -> str:
    stream = io.StringIO()
    tuner = Shift(objective=kt.Objective("val_loss", "min"), max_trials=2, directory=folder, project_name="s")
    screen = SearchDisplay(tuner.oracle, stream, verbose)
    plan: dict[str, Any] = dict.fromkeys(("trials", "total_epochs", "time_budget_s", "repeat"))
    screen.begin(
        Plan(
            folder=folder,
            name="s",
            metric="val_loss",
            mode="min",
            max_epochs=max_epochs,
            max_concurrent_trials=1,
            earlier=(),
            **plan,
        )
    )
    for event in (
        TrialStarted(time_s=1.0, trial=0, config={"x": 0.25}, node="n"),
        ParametersMet(time_s=2.0, trial=0, config={"x": 0.25, "late": 3}, parameters={"late": {}}),
        EpochReported(time_s=3.0, trial=0, epoch=1, metrics={"loss": 0.5, "val_loss": 0.75}, seconds=2.0),
        TrialEnded(time_s=4.0, trial=0, status=Status.COMPLETED, reason="", error=None),
        TrialStarted(time_s=5.0, trial=1, config={"x": 0.5, "late": 4}, node="n"),
    ):
        screen.event(event)
    return stream.getvalue()


def test_each_epoch_has_a_line_if_it_is_asked_for(tmp_path: Path) -> None:
    assert "Trial 1, epoch 1/4: 2s - loss: 0.5000 - val_loss: 0.7500" in shown(tmp_path, 2).splitlines()
    assert "epoch" not in shown(tmp_path, 1)
    assert shown(tmp_path, 0) == ""


def test_an_epoch_has_a_line_if_nothing_was_printed_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_QUIET_S", 0.0)
    assert "Trial 1, epoch 1: 2s - loss" in shown(tmp_path, "auto", max_epochs=100_000)


def test_what_a_trial_met_is_told_and_stands_in_the_table(tmp_path: Path) -> None:
    lines = shown(tmp_path, 1).splitlines()
    assert "New hyperparameters, searched from now on: late" in lines
    assert f"{'4':18}|{'3':18}|late" in lines
