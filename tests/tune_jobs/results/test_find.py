"""Finding runs by name: a run by itself, or the repeats of a group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.compared_runs import make_repeats, make_scored_run
from tune_jobs.errors import RequestError
from tune_jobs.results.find import find_all_runs, find_repeats, find_run, find_runs
from tune_jobs.results.run import Repeat, Run


def names(runs: Run | list[Run]) -> list[str]:
    assert isinstance(runs, list)
    return [run.name for run in runs]


def test_a_group_is_all_its_repeats_in_order(tmp_path: Path) -> None:
    make_repeats(tmp_path, "many", [0.5] * 11)
    make_scored_run(tmp_path, "single")
    assert names(find_runs("many", tmp_path)) == [f"many-{number}" for number in range(1, 12)]
    assert names(find_runs(str(tmp_path / "many"), "elsewhere")) == names(find_runs("many", tmp_path))
    assert names(find_runs("single", tmp_path)) == ["single"]
    assert names(find_runs("many-3", tmp_path)) == ["many-3"]
    assert find_runs("many-3", tmp_path)[0].repeat == Repeat("many", 3, 11)
    assert find_runs("single", tmp_path)[0].repeat is None


def test_a_group_stays_one_while_there_is_one_repeat(tmp_path: Path) -> None:
    make_repeats(tmp_path, "a", [0.5], count=2)
    group, run = find_all_runs(["a", "a-1"], tmp_path)
    assert isinstance(run, Run)
    assert names(group) == ["a-1"]
    assert run.name == "a-1"


def test_neighbours_with_similar_names_are_no_repeats(tmp_path: Path) -> None:
    make_scored_run(tmp_path, "a-1")
    make_scored_run(tmp_path, "a-2", repeat=Repeat("other", 2, 2))
    make_scored_run(tmp_path, "a-3-copy", repeat=Repeat("a", 3, 3))
    make_repeats(tmp_path, "[a]*", [0.5])
    assert find_repeats("a", tmp_path) == []
    assert names(find_runs("[a]*", tmp_path)) == ["[a]*-1"]


def test_what_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    make_repeats(tmp_path, "a", [0.5, 0.6])
    with pytest.raises(RequestError) as error:
        find_all_runs(["a", "b", "c"], tmp_path)
    assert len(error.value.problems) == 2
    assert "There is no run 'b'" in error.value.problems[0]
    assert "There are: a-1, a-2." in error.value.problems[1]
    make_repeats(tmp_path, "b", [0.5] * 6)
    with pytest.raises(RequestError, match=r"There are: a-1, a-2\."):
        find_run("a", tmp_path)


@pytest.mark.parametrize(
    "repeat",
    [
        None,
        "a",
        [],
        {},
        {"of": 1, "number": 1, "count": 1},
        {"of": "a", "number": 3, "count": 2},
        {"of": "a", "number": 1},
    ],
)
def test_what_a_file_says_need_not_be_a_repeat(tmp_path: Path, repeat: Any) -> None:
    folder = make_scored_run(tmp_path, "a-1").folder
    record = json.loads((folder / "experiment.json").read_text())
    (folder / "experiment.json").write_text(json.dumps({**record, "repeat": repeat}))
    assert Run(folder).repeat is None
