"""tune-jobs replay: what another choice would have done with the journal of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from search_spaces import Float, SearchSpace
from tests.support.fakes import experiment
from tests.support.runs import make_run
from tests.support.simulation import Simulation
from tune_jobs.cli.main import main
from tune_jobs.cli.run_options import SCHEDULER_NAMES, SEARCHER_NAMES
from tune_jobs.replay.what_if import CHANGING
from tune_jobs.results.layout import EXPERIMENT_FILE
from tune_jobs.schedulers import PopulationBased
from tune_jobs.searchers import Random

SPACE = SearchSpace(x=Float(0.0, 1.0), y=Float(0.0, 1.0))


def replay(storage: Path, *options: str) -> Any:
    return CliRunner().invoke(main, ["replay", "first", "--storage", str(storage), *options])


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    declared = experiment(space=SPACE, searcher=Random(), trials=30)
    make_run(tmp_path, events=Simulation(declared).run().log.events, experiment=declared)
    return tmp_path


def test_it_compares_choices_with_the_runs_own_and_says_how_far_to_trust(storage: Path) -> None:
    result = replay(storage, "--searcher", "hyperopt", "--scheduler", "none", "--seeds", "2")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("first: 30 trials, ")
    assert "best: " in lines[0]
    assert lines[1].startswith("trust: It foretells trials that were left out ")
    choices = [line.split("  ")[0] for line in lines if " + " in line]
    assert choices == ["random + asha", "random + none", "hyperopt + asha", "hyperopt + none"]
    assert "Mean of 2 replays" in result.output
    assert result.output == replay(storage, "--searcher", "hyperopt", "--scheduler", "none", "--seeds", "2").output


def test_without_a_choice_the_runs_own_is_replayed(storage: Path) -> None:
    result = replay(storage, "--seeds", "2", "--total-epochs", "20", "--max-concurrent", "1")
    assert result.exit_code == 0, result.output
    assert "after 20 epochs" in result.output
    assert "1 trial side by side" in result.output


def test_a_searcher_that_cannot_search_the_space_is_refused(storage: Path) -> None:
    result = replay(storage, "--searcher", "grid")
    assert result.exit_code == 2
    assert "x: Its values 0 … 1 are a continuum" in result.output


def test_a_scheduler_that_changes_configurations_is_refused(storage: Path) -> None:
    result = replay(storage, "--scheduler", "population")
    assert result.exit_code == 2
    assert "'population' changes the configuration of a trial while it trains" in result.output
    path = storage / "first" / EXPERIMENT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "scheduler": PopulationBased().to_json()}))
    assert replay(storage).exit_code == 2
    other = replay(storage, "--scheduler", "asha", "--seeds", "2")
    assert other.exit_code == 0, other.output


def test_it_takes_the_names_that_run_takes(storage: Path) -> None:
    from tune_jobs.cli.commands.compare import replay as replay_command
    from tune_jobs.cli.commands.run import run as run_command

    for option in ("--searcher", "--scheduler"):
        taken = [
            parameter.type.choices
            for command in (replay_command, run_command)
            for parameter in command.params
            if option in parameter.opts
        ]
        assert taken[0] == taken[1]
    result = replay(storage, "--searcher", "auto", "--seeds", "2", "--total-epochs", "30")
    assert result.exit_code == 0, result.output
    assert "foresight + asha" in result.output


@pytest.mark.parametrize("scheduler", SCHEDULER_NAMES)
def test_every_scheduler_is_replayed_or_refused_in_words(scheduler: str, storage: Path) -> None:
    result = replay(storage, "--scheduler", scheduler, "--seeds", "2", "--total-epochs", "20")
    assert result.exit_code == (2 if scheduler in CHANGING else 0), result.output
    assert ("cannot be replayed: choose another" if scheduler in CHANGING else f"random + {scheduler}") in result.output


@pytest.mark.parametrize("searcher", sorted(set(SEARCHER_NAMES) - {"grid", "sweep"}))
def test_every_searcher_is_replayed(searcher: str, storage: Path) -> None:
    result = replay(storage, "--searcher", searcher, "--seeds", "2", "--total-epochs", "20")
    assert result.exit_code == 0, result.output
    assert f"{searcher} + asha" in result.output


def test_a_run_with_a_searcher_of_ones_own_is_replayed_with_others(storage: Path) -> None:
    path = storage / "first" / EXPERIMENT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "searcher": {"kind": "mine"}}))
    assert "has the searcher or scheduler 'mine', which no name stands for" in replay(storage).output
    other = replay(storage, "--searcher", "random", "--seeds", "2")
    assert other.exit_code == 0, other.output


def test_a_scheduler_that_pauses_is_replayed(storage: Path) -> None:
    result = replay(storage, "--scheduler", "asha-promotion", "--seeds", "2")
    assert result.exit_code == 0, result.output
    assert "random + asha-promotion" in result.output


def test_a_run_with_few_trials_is_refused(tmp_path: Path) -> None:
    declared = experiment(space=SPACE, searcher=Random(), trials=4)
    make_run(tmp_path, events=Simulation(declared).run().log.events, experiment=declared)
    result = replay(tmp_path)
    assert result.exit_code == 2
    assert "has 4 trials with a finite val_accuracy, but a replay needs at least 10" in result.output


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("searcher", None),
        ("searcher", {"kind": []}),
        ("searcher", {"kind": "random", "nothing": 1}),
        ("scheduler", "asha"),
        ("scheduler", {"kind": "asha", "factor": "x"}),
        ("max_epochs", "many"),
        ("max_epochs", 0),
    ],
)
def test_a_damaged_record_is_told(storage: Path, field: str, value: object) -> None:
    path = storage / "first" / EXPERIMENT_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    result = replay(storage, "--searcher", "random", "--seeds", "2")
    assert result.exit_code == 2
    assert f"experiment.json is damaged ({field} is " in result.output
