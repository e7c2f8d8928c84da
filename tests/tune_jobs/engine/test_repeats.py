"""Repeats: their seeds and names, what stops them, and what resuming does, with a stand-in for the engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.compared_runs import events_of
from tune_jobs import TensorBoard
from tune_jobs.engine import repeats
from tune_jobs.engine.repeats import repeats_problems, resume_repeats, run_repeats
from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.create import create_folder, folder_problems, update_record
from tune_jobs.engine.run_folder.reporter import Reporter
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.loading.loader import load
from tune_jobs.results import JOURNAL_FILE, JournalWriter
from tune_jobs.results.find import find_runs
from tune_jobs.results.run import Repeat, Run

EXPERIMENT = load("digits_mlp").experiment


class Engine:
    """Stands in for ``run`` and ``resume``: makes the folder of a run, and ends as the test has planned.

    Attributes:
        done: The verb, the run, its seed and its trials, of each call.
        endings: The ending of a run, by its name: a reason, None if it was killed, or an error to raise.
        told: Who was to be told the events of each run.
    """

    def __init__(self) -> None:
        self.done: list[tuple[str, str, int, int | None]] = []
        self.endings: dict[str, str | BaseException | None] = {}
        self.told: list[tuple[str, list[Any]]] = []

    def run(
        self,
        experiment: Experiment,
        *,
        storage: Path,
        name: str,
        experiment_name: str,
        reference: str | None,
        reporter: Reporter | None,
        repeat: Repeat,
        if_exists: str = "refuse",
        callbacks: Sequence[Callback] = (),
    ) -> Run:
        self.told.append((name, list(callbacks)))
        record = (experiment_name, reference, repeat)
        made = create_folder(storage, name, experiment, *record, callbacks=callbacks)
        return self._go_on("run", made, experiment)

    def resume(
        self,
        made: Path,
        experiment: Experiment,
        *,
        force: bool,
        reporter: Reporter | None,
        callbacks: Sequence[Callback],
        tools: bool,
    ) -> Run:
        self.told.append((made.name, [*callbacks, tools]))
        update_record(made, Run(made).experiment, experiment)
        return self._go_on("resume", made, experiment)

    def _go_on(self, verb: str, made: Path, experiment: Experiment) -> Run:
        ending = self.endings.pop(made.name, "all trials")
        if isinstance(ending, BaseException):
            raise ending
        self.done.append((verb, made.name, experiment.seed, experiment.trials))
        with JournalWriter(made / JOURNAL_FILE) as journal:
            for event in events_of([0.5], reason=ending):
                journal.write(event)
        return Run(made)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    monkeypatch.chdir(tmp_path)
    pretended = Engine()
    monkeypatch.setattr(repeats, "run", pretended.run)
    monkeypatch.setattr(repeats, "resume", pretended.resume)
    return pretended


def begin(tmp_path: Path, count: Any = 3, name: str = "x", **fields: Any) -> list[Run]:
    experiment = EXPERIMENT.override(**{"seed": 7, "trials": 4, **fields})
    return run_repeats(experiment, count, storage=tmp_path, name=name, experiment_name="lab", reference="digits_mlp")


def names(runs: list[Run]) -> list[str]:
    return [run.name for run in runs]


def test_each_repeat_is_a_plain_run_with_a_seed_of_its_own(engine: Engine, tmp_path: Path) -> None:
    runs = begin(tmp_path)
    assert engine.done == [("run", "x-1", 7000, 4), ("run", "x-2", 7001, 4), ("run", "x-3", 7002, 4)]
    assert repeats.MAX_REPEATS == 1000  # so the next seed's first repeat has 8000
    assert names(runs) == names(find_runs("x", tmp_path)) == ["x-1", "x-2", "x-3"]
    record = json.loads((tmp_path / "x-2" / "experiment.json").read_text())
    assert record["repeat"] == {"of": "x", "number": 2, "count": 3}
    assert (record["name"], record["seed"], record["reference"]) == ("x-2", 7001, "digits_mlp")


def test_tools_follow_each_repeat_and_are_remembered(engine: Engine, tmp_path: Path) -> None:
    board, own = TensorBoard(tmp_path / "logs"), Callback()
    engine.endings["x-2"] = "interrupted"
    runs = run_repeats(EXPERIMENT, 3, storage=tmp_path, name="x", callbacks=[board, own])
    assert engine.told == [("x-1", [board, own]), ("x-2", [board, own])]
    engine.told.clear()
    resume_repeats(runs, EXPERIMENT)
    assert engine.told[0] == ("x-2", [True])
    (name, (again,)) = engine.told[1]
    assert (name, type(again), again.folder) == ("x-3", TensorBoard, tmp_path / "logs")


def test_tools_can_be_left_out_when_repeats_go_on(engine: Engine, tmp_path: Path) -> None:
    engine.endings["x-1"] = "interrupted"
    runs = run_repeats(EXPERIMENT, 2, storage=tmp_path, name="x", callbacks=[TensorBoard(tmp_path / "logs")])
    engine.told.clear()
    resume_repeats(runs, EXPERIMENT, tools=False)
    assert engine.told == [("x-1", [False]), ("x-2", [])]


def test_a_group_is_named_by_the_experiment_and_the_time(engine: Engine, tmp_path: Path) -> None:
    runs = run_repeats(EXPERIMENT, 2, storage=tmp_path)
    assert runs[0].name.startswith("DigitsMlp-")
    assert runs[1].name == runs[0].name[:-1] + "2"


@pytest.mark.parametrize("count", [-1, 0, 1, 1001, 2.0, "3", True])
def test_a_number_of_repeats_that_cannot_be(engine: Engine, tmp_path: Path, count: Any) -> None:
    with pytest.raises(RequestError, match=r"`repeats` is .*, but must be a whole number from 2 to 1,000"):
        begin(tmp_path, count)
    assert list(tmp_path.iterdir()) == []


def test_all_names_are_checked_before_anything_is_started(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "x-2").mkdir()
    (tmp_path / "x-3").mkdir()
    with pytest.raises(RequestError) as error:
        begin(tmp_path)
    assert ["'x-2' exists" in problem or "'x-3' exists" in problem for problem in error.value.problems] == [True, True]
    assert engine.done == []


def test_a_name_is_that_of_a_run_or_of_a_group_never_of_both(engine: Engine, tmp_path: Path) -> None:
    begin(tmp_path, 2)
    (problem,) = repeats_problems(EXPERIMENT, 2, tmp_path, "x")
    assert "that of the repeats x-1, x-2, …" in problem
    assert "tune-jobs resume x" in problem
    assert folder_problems(tmp_path, "x") == [problem]
    (tmp_path / "y").mkdir()
    assert "'y' exists already" in repeats_problems(EXPERIMENT, 2, tmp_path, "y")[0]


def test_a_name_that_becomes_too_long_by_its_number(engine: Engine, tmp_path: Path) -> None:
    assert repeats_problems(EXPERIMENT, 9, tmp_path, "a" * 98) == []
    assert "at most 100 letters" in repeats_problems(EXPERIMENT, 10, tmp_path, "a" * 98)[0]


def test_ctrl_c_ends_the_group(engine: Engine, tmp_path: Path) -> None:
    engine.endings["x-2"] = "interrupted"
    assert names(begin(tmp_path)) == ["x-1", "x-2"]
    engine.endings["y-2"] = KeyboardInterrupt()
    assert names(begin(tmp_path, name="y")) == ["y-1"]
    engine.endings["z-1"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path, name="z")


def test_a_repeat_that_fails_ends_the_group(engine: Engine, tmp_path: Path) -> None:
    engine.endings["x-2"] = RunFailed("All 4 trials failed.")
    with pytest.raises(RunFailed):
        begin(tmp_path)
    assert [name for _, name, *_ in engine.done] == ["x-1"]


def test_resuming_resumes_what_is_unfinished_and_runs_what_is_missing(engine: Engine, tmp_path: Path) -> None:
    engine.endings = {"x-2": None}  # its driver was killed
    begin(tmp_path, 3)
    (tmp_path / "x-3").rename(tmp_path / "elsewhere")
    engine.done.clear()
    runs = resume_repeats(find_runs("x", tmp_path), EXPERIMENT)
    assert engine.done == [("resume", "x-2", 7001, 4), ("run", "x-3", 7002, 4)]
    assert names(runs) == ["x-1", "x-2", "x-3"]
    engine.done.clear()
    assert names(resume_repeats(find_runs("x", tmp_path), EXPERIMENT)) == names(runs)
    assert engine.done == []


def test_a_first_repeat_that_is_missing_is_run_with_its_seed(engine: Engine, tmp_path: Path) -> None:
    begin(tmp_path, 3)
    (tmp_path / "x-1").rename(tmp_path / "elsewhere")
    engine.done.clear()
    resume_repeats(find_runs("x", tmp_path), EXPERIMENT)
    assert engine.done == [("run", "x-1", 7000, 4)]


def test_more_of_finished_repeats(engine: Engine, tmp_path: Path) -> None:
    begin(tmp_path, 2)
    engine.done.clear()
    resume_repeats(find_runs("x", tmp_path), EXPERIMENT, trials=9, time_budget_s=None)
    assert engine.done == [("resume", "x-1", 7000, 9), ("resume", "x-2", 7001, 9)]


def test_resuming_is_interrupted_as_running_is(engine: Engine, tmp_path: Path) -> None:
    engine.endings = {"x-1": None, "x-2": None}
    begin(tmp_path, 2)
    engine.endings = {"x-1": "interrupted"}
    assert names(resume_repeats(find_runs("x", tmp_path), EXPERIMENT)) == ["x-1"]


def test_missing_repeats_are_not_run_with_other_code(engine: Engine, tmp_path: Path) -> None:
    begin(tmp_path, 2)
    (tmp_path / "x-2").rename(tmp_path / "elsewhere")
    path = tmp_path / "x-1" / "experiment.json"
    path.write_text(path.read_text().replace('"DigitsMlp": "', '"DigitsMlp": "0'))
    engine.done.clear()
    with pytest.raises(RequestError, match="The code has changed: DigitsMlp"):
        resume_repeats(find_runs("x", tmp_path), EXPERIMENT)
    assert engine.done == []
    resume_repeats(find_runs("x", tmp_path), EXPERIMENT, force=True)
    assert engine.done == [("run", "x-2", 7001, 4)]


def test_a_run_by_itself_is_no_group(engine: Engine, tmp_path: Path) -> None:
    alone = create_folder(tmp_path, "alone", EXPERIMENT, "lab")
    with pytest.raises(RequestError, match="alone is no repeat of a group"):
        resume_repeats([Run(alone)], EXPERIMENT)
