"""Creating the folder of a run: which names and storages are refused, and what is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.fakes import experiment
from tune_jobs.engine.run_folder import create
from tune_jobs.engine.run_folder.create import create_folder, default_name, folder_problems
from tune_jobs.errors import RequestError
from tune_jobs.results.find import find_run, list_runs
from tune_jobs.results.run import Run


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b", "x" * 101, "a\n"])
def test_a_name_with_a_path_in_it_is_refused(tmp_path: Path, name: str) -> None:
    (problem,) = folder_problems(tmp_path, name)
    assert "--storage" in problem
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_exists_and_a_storage_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert "exists already" in folder_problems(tmp_path, "a")[0]
    (tmp_path / "file").write_text("")
    assert "is a file" in folder_problems(tmp_path / "file" / "runs", "a")[0]
    assert folder_problems(tmp_path / "new" / "runs", "a") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "file"]


def test_an_unwritable_storage_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create.os, "access", lambda path, mode: False)
    assert "cannot be written" in folder_problems(tmp_path, "a")[0]


def test_what_was_asked_for_is_kept_and_found_again(tmp_path: Path) -> None:
    made = create_folder(tmp_path, "first", experiment(), "my_experiment")
    record = json.loads((made / "experiment.json").read_text())
    assert record["space"] == experiment().space.to_json()
    assert record["scheduler"] == {"kind": "asha", "grace_period": 1, "reduction_factor": 3, "brackets": 1}
    assert record["versions"]["ray"]
    assert find_run("first", tmp_path).folder == find_run(str(made), "elsewhere").folder == made
    assert [run.name for run in list_runs(tmp_path)] == ["first"]
    assert Run(made).space == experiment().space
    assert len(Run(made).leaderboard()) == 0
    with pytest.raises(RequestError, match="There are: first"):
        find_run("second", tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"objective": 3}', "[" * 100_000, '{"objective": {"metric": "a"}}'])
def test_a_damaged_folder_is_told_and_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "experiment.json").write_text(text)
    with pytest.raises(RequestError, match="damaged"):
        Run(tmp_path / "bad")
    assert list_runs(tmp_path) == []


def test_default_names_are_valid(tmp_path: Path) -> None:
    for name in ("digits_mlp", "my lab/cifar.py", "…", "x" * 300):
        assert folder_problems(tmp_path, default_name(name)) == []
