"""The Pareto front: exactly the trials that no other one beats."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choice, SearchSpace
from tune_jobs import Grid, NoScheduler, Objective, RequestError, Run, ask_tell, pareto_front
from tune_jobs.analysis.pareto import _not_dominated
from tune_jobs.cli.main import main

RESULTS = {8: (0.7, 520.0), 16: (0.9, 1040.0), 32: (0.8, 2080.0), 64: (math.nan, 1.0), 128: (0.95, 8320.0)}
BOTH = [Objective("accuracy", "max"), Objective("parameters", "min")]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    space = SearchSpace(units=Choice(*RESULTS), name=Choice("a"))
    with ask_tell(space, BOTH[0], storage=tmp_path, searcher=Grid(), scheduler=NoScheduler()) as study:
        for trial in study:
            accuracy, parameters = RESULTS[trial.config["units"]]
            study.observe(trial, {"accuracy": accuracy, "parameters": parameters})
    return study.run


def test_whoever_is_beaten_in_everything_is_left_out(run: Run) -> None:
    assert pareto_front(run, BOTH)["units"].tolist() == [128, 16, 8]
    assert pareto_front(run, [*BOTH, Objective("units", "max")])["units"].tolist() == [128, 16, 32, 8]


def test_the_command_line_prints_it(run: Run) -> None:
    asked = [
        "leaderboard",
        str(run.folder),
        "--pareto",
        "accuracy:max",
        "--pareto",
        "parameters:min",
        "--format",
        "json",
    ]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    assert [row["units"] for row in json.loads(result.stdout)] == [128, 16, 8]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["accuracy:max"], "A Pareto front needs two or more objectives, but there is 1."),
        (
            ["accuracy:max", "parameter:min"],
            "'parameter' is no column of the leaderboard: you may have meant `parameters`.",
        ),
        (["accuracy:max", "name:min"], "The column 'name' of the leaderboard has no numbers to compare."),
        (["accuracy", "units:min"], "The value of --pareto is 'accuracy', but must be COLUMN:max or COLUMN:min"),
        (["accuracy:most", "units:min"], "The value of --pareto is 'accuracy:most'"),
    ],
)
def test_what_is_wrong_is_told(run: Run, options: list[str], told: str) -> None:
    asked = [word for option in options for word in ("--pareto", option)]
    result = CliRunner().invoke(main, ["leaderboard", str(run.folder), *asked])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_errors_are_requests_in_python(run: Run) -> None:
    with pytest.raises(RequestError, match="two or more"):
        pareto_front(run, BOTH[:1])


VALUES = st.sampled_from([0.0, 1.0, 2.0, 3.0, math.nan])


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12))
def test_it_is_what_the_definition_says(rows: list[tuple[float, float, float]]) -> None:
    def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and one != other

    sound = [row for row in rows if not any(map(math.isnan, row))]
    expected = [row in sound and not any(beats(one, row) for one in sound) for row in rows]
    assert _not_dominated(np.array(rows).reshape(-1, 3)).tolist() == expected
