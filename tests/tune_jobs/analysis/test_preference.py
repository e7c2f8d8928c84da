"""The best trial by a preference, the front of a run's own objectives, and what the results say of constraints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from search_spaces import Choice, SearchSpace
from tune_jobs import Grid, NoScheduler, Objective, RequestError, Run, RunFailed, ask_tell, best_by, pareto_front
from tune_jobs.cli.main import main

RESULTS = {8: (0.7, 520.0), 16: (0.9, 1040.0), 32: (0.8, 2080.0), 128: (0.95, 8320.0), 256: (0.99, 20000.0)}
BOTH = [Objective("accuracy", "max"), Objective("parameters", "min")]


def made(storage: Path, *constraints: str, **fields: Any) -> Run:
    space = SearchSpace(units=Choice(*RESULTS), name=Choice("a"))
    arguments = {"searcher": Grid(), "scheduler": NoScheduler(), **fields}
    with ask_tell(space, objectives=BOTH, constraints=constraints, storage=storage, **arguments) as study:
        for trial in study:
            accuracy, parameters = RESULTS[trial.config["units"]]
            study.observe(trial, {"accuracy": accuracy, "parameters": parameters})
    return study.run


@pytest.mark.parametrize(
    ("preference", "units"),
    [
        ([], [256, 128, 16, 32, 8]),
        (["parameters <= 1e4"], [128, 16, 32, 8]),
        (["parameters <= 1e4", "accuracy"], [128, 16, 32, 8]),
        (["parameters"], [8, 16, 32, 128, 256]),
        (["accuracy >= 0.8", "parameters"], [16, 32, 128, 256]),
        (["parameters / 1000 < 9", "units > 16"], [128, 32]),
    ],
)
def test_the_best_of_one_objective_keeps_bounds_on_the_others(
    tmp_path: Path, preference: list[str], units: list[int]
) -> None:
    frame = best_by(made(tmp_path), *preference)
    assert frame["units"].tolist() == units
    assert frame["rank"].tolist() == list(range(1, len(units) + 1))


@pytest.mark.parametrize(
    ("preference", "told"),
    [
        (
            ["parameters <= 5"],
            "No trial of the run study keeps parameters <= 5. Trial 0 is the nearest: parameters 520 > 5.",
        ),
        (["parameter <= 5"], "'parameter' is no column of the leaderboard: you may have meant `parameters`."),
        (["name <= 5"], "The column 'name' of the leaderboard has no numbers to compare."),
        (
            ["speed"],
            "'speed' is no bound such as 'parameters <= 1e5', and no objective of the run: it has accuracy, ",
        ),
        (["accuracy", "parameters"], "accuracy, parameters are both named as what to optimise"),
        (["accuracy == 1"], "'accuracy == 1' must be a comparison"),
    ],
)
def test_what_is_wrong_with_a_preference_is_told(tmp_path: Path, preference: list[str], told: str) -> None:
    run = made(tmp_path)
    with pytest.raises(RequestError) as error:
        best_by(run, *preference)
    assert told in str(error.value)
    options = [word for each in preference for word in ("--best-by", each)]
    result = CliRunner().invoke(main, ["leaderboard", str(run.folder), *options])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def shown(run: Run, *options: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(main, ["leaderboard", str(run.folder), *options, "--format", "json"])
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_the_command_line_shows_the_front_and_the_preferred(tmp_path: Path) -> None:
    run = made(tmp_path)
    assert [row["units"] for row in shown(run, "--pareto")] == [256, 128, 16, 8]
    assert pareto_front(run)["units"].tolist() == [256, 128, 16, 8]
    assert [row["units"] for row in shown(run, "--best-by", "parameters <= 3000", "--top", "2")] == [16, 32]
    both = CliRunner().invoke(main, ["leaderboard", str(run.folder), "--best-by", "accuracy", "--pareto"])
    assert (both.exit_code, "the other chooses one" in both.output) == (2, True)


def test_what_breaks_a_constraint_comes_last_and_is_not_the_best(tmp_path: Path) -> None:
    run = made(tmp_path, "parameters <= 1e4", "units <= 128")
    rows = shown(run)
    assert [row["units"] for row in rows] == [128, 16, 32, 8, 256]
    assert [row["feasible"] for row in rows] == [True] * 4 + [False]
    assert (rows[4]["status"], rows[4]["error"]) == ("refused", "refused: units 256 > 128")
    assert run.best_config["units"] == 128


def test_a_run_in_which_nothing_keeps_the_constraints_says_so(tmp_path: Path) -> None:
    run = made(tmp_path, "parameters <= 500")
    assert [row["rank"] for row in shown(run)] == [1, 2, 3, 4, 5]
    assert shown(run)[0]["units"] == 8
    with pytest.raises(RequestError, match="No trial of the run study keeps its constraints"):
        _ = run.best_trial
    with pytest.raises(RequestError, match="no trial with a value of accuracy that keeps its constraints"):
        best_by(run)
    assert pareto_front(run).empty


def test_a_study_goes_on_with_its_goals_only(tmp_path: Path) -> None:
    made(tmp_path, "parameters <= 1e4", trials=2)
    with pytest.raises(RequestError, match="constraints"):
        made(tmp_path, "parameters <= 1e3")
    assert len(shown(made(tmp_path, "parameters <= 1e4"))) == 5


def test_a_study_of_which_every_configuration_is_refused_fails_in_words(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="Nothing was trained: all 5 configurations that were proposed broke"):
        made(tmp_path, "units > 1000")
