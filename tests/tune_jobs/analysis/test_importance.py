"""The importance of parameters: what decides is found, what is conditional is judged where it is active."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from search_spaces import Choice, Float, Int, SearchSpace
from tests.support import fakes, runs
from tune_jobs import importance
from tune_jobs.cli.main import main
from tune_jobs.errors import RequestError
from tune_jobs.results import EpochReported, Event, Status, TrialEnded, TrialStarted
from tune_jobs.results.run import Run

SPACE = SearchSpace(
    rate=Float(1e-4, 1e-1, log=True),
    kind=Choice("a", "b", "c"),
    momentum=Float(0.0, 1.0).when(kind="a"),
    layers=Int(1, 3),
    units=Choice(1, 2, 4, 8).per("layers"),
    idle=Float(0.0, 1.0),
    fixed=Choice("one"),
)


def make(storage: Path, value: Callable[[Mapping[str, Any]], float], trials: int = 80, seed: int = 0) -> Run:
    """Make a run whose trials have one epoch with this objective."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    for trial in range(trials):
        config = SPACE.sample(rng)
        events.append(TrialStarted(time_s=1.0, trial=trial, config=config, node="host"))
        events.append(
            EpochReported(time_s=1.0, trial=trial, epoch=1, metrics={"val_accuracy": value(config)}, seconds=1)
        )
        events.append(TrialEnded(time_s=1.0, trial=trial, status=Status.COMPLETED, reason="all", error=None))
    return runs.make_run(storage, events=events, experiment=fakes.experiment(space=SPACE))


def by_name(run: Run) -> dict[str, float]:
    return {row.name: row.importance for row in importance(run).parameters}


def test_what_decides_is_found_and_the_rest_is_near_zero(tmp_path: Path) -> None:
    found = importance(make(tmp_path, lambda config: -abs(math.log10(config["rate"]) + 2.5)))
    assert found.parameters[0].name == "rate"
    assert found.parameters[0].importance > 0.5
    assert found.explained > 0.8
    assert all(abs(row.importance) < 0.05 for row in found.parameters[1:])
    assert "fixed" not in {row.name for row in found.parameters}
    assert found.parameters[0].spread > 0


def test_a_conditional_parameter_is_judged_where_it_is_active(tmp_path: Path) -> None:
    found = importance(make(tmp_path, lambda config: config.get("momentum", 0.5), trials=150))
    row = next(row for row in found.parameters if row.name == "momentum")
    assert found.parameters[0] == row
    assert 0.2 < row.active < 0.5
    assert row.importance > 0.15


def test_that_it_is_active_belongs_to_the_parameter_that_decides_it(tmp_path: Path) -> None:
    found = by_name(make(tmp_path, lambda config: float("momentum" in config), trials=150))
    assert max(found, key=found.__getitem__) == "kind"
    assert abs(found["momentum"]) < 0.05


def test_the_elements_of_a_list_count_together(tmp_path: Path) -> None:
    found = by_name(make(tmp_path, lambda config: sum(config["units"]) / len(config["units"]), trials=150))
    assert max(found, key=found.__getitem__) == "units"


def test_the_same_journal_gives_the_same_numbers(tmp_path: Path) -> None:
    run = make(tmp_path, lambda config: config["idle"])
    assert importance(run) == importance(run)


def test_one_trial_that_is_far_away_decides_nothing(tmp_path: Path) -> None:
    def value(config: Mapping[str, Any]) -> float:
        return -1e30 if config["idle"] > 0.98 else -abs(math.log10(config["rate"]) + 2.5)

    found = by_name(make(tmp_path, value))
    assert max(found, key=found.__getitem__) == "rate"


def test_too_few_trials_are_told(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has 7 trials with a finite val_accuracy, but importance needs 8"):
        importance(make(tmp_path, lambda config: config["idle"], trials=7))


@pytest.mark.parametrize("format_", ["table", "csv", "json"])
def test_the_command_prints_it(tmp_path: Path, format_: str) -> None:
    run = make(tmp_path, lambda config: config["rate"], trials=30)
    result = CliRunner().invoke(main, ["importance", str(run.folder), "--format", format_])
    assert result.exit_code == 0, result.output
    if format_ == "json":
        assert json.loads(result.stdout)[0]["parameter"] == "rate"
    elif format_ == "csv":
        assert result.stdout.splitlines()[0] == "parameter,importance,spread,active"
    else:
        assert "A forest foretells" in result.stdout
        assert result.stdout.splitlines()[1].split()[0] == "rate"
