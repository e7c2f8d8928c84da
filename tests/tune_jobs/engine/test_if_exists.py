"""A run is begun again under a name that is taken, as when a cell of a notebook is run again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.compared_runs import events_of
from tests.support.strangers import Strangers
from trainables.storage.own_files import MARK_FILE
from tune_jobs.engine import repeats, runner
from tune_jobs.engine.run_folder.create import create_folder
from tune_jobs.engine.run_folder.replacement import replaced_run
from tune_jobs.engine.run_folder.working_folder import WorkingFolder, locked
from tune_jobs.errors import RequestError
from tune_jobs.examples.digits_mlp import EXPERIMENT
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, JournalWriter
from tune_jobs.results.layout import JOURNAL_FILE
from tune_jobs.results.run import Run

Run_ = Callable[..., Run]


class Driver:
    """A driver that trains nothing: it writes a journal."""

    def __init__(self) -> None:
        self.reason = "all trials"
        self.error: BaseException | None = None
        self.driven: list[tuple[str, int | None]] = []

    def __call__(
        self,
        folder: WorkingFolder,
        experiment: Experiment,
        reporter: Any,
        *,
        earlier: Sequence[Event] = (),
        notes: Any = (),
        callbacks: Any = (),
    ) -> None:
        self.driven.append((folder.path.name, experiment.trials))
        if self.error is not None:
            raise self.error
        with JournalWriter(folder.path / JOURNAL_FILE) as journal:
            for event in events_of([0.5], reason=self.reason):
                journal.write(event)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    pretended = Driver()
    monkeypatch.setattr(runner, "drive", pretended)
    return pretended


@pytest.fixture
def begin(tmp_path: Path, driver: Driver) -> Run_:
    def run(if_exists: Any = "refuse", **fields: Any) -> Run:
        experiment = EXPERIMENT.override(**{"trials": 2, **fields})
        return runner.run(experiment, storage=tmp_path / "runs", name="cell", if_exists=if_exists)

    return run


@pytest.mark.parametrize("error", [RequestError("The data is empty."), KeyboardInterrupt()])
def test_a_storage_that_was_made_for_nothing_is_removed(driver: Driver, tmp_path: Path, error: BaseException) -> None:
    driver.error = error
    (tmp_path / "there").mkdir()
    for storage in ("new/of/mine", "there/runs", "there"):
        with pytest.raises(type(error)):
            runner.run(EXPERIMENT, storage=tmp_path / storage, name="cell")
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


def test_a_storage_in_which_something_else_was_put_meanwhile_stays(driver: Driver, tmp_path: Path) -> None:
    class Neighbour(Driver):
        def __call__(self, folder: WorkingFolder, *others: Any, **named: Any) -> None:
            (folder.path.parent / "notes.txt").write_text("mine")
            raise RequestError("The data is empty.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "drive", Neighbour())
        with pytest.raises(RequestError):
            runner.run(EXPERIMENT, storage=tmp_path / "runs", name="cell")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["notes.txt"]


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def test_by_default_it_is_refused_with_the_three_remedies(begin: Run_) -> None:
    begin()
    with pytest.raises(RequestError) as refusal:
        begin()
    (problem,) = refusal.value.problems
    assert problem.startswith("The run 'cell' exists already in ")
    assert all(remedy in problem for remedy in ("resume", "--name", "new", "overwrite", "In Python: if_exists="))


@pytest.mark.parametrize("choice", ["replace", None, True, 3])
def test_another_answer_is_refused(begin: Run_, choice: Any) -> None:
    with pytest.raises(RequestError, match=r"`if_exists` is .*, but must be one of 'refuse', 'resume', 'overwrite'"):
        begin(choice)


@pytest.mark.parametrize("choice", ["refuse", "resume", "overwrite", "new"])
def test_a_name_that_is_free_is_taken(begin: Run_, choice: str) -> None:
    assert begin(choice).name == "cell"


def test_a_finished_run_is_returned_and_one_with_more_trials_goes_on(begin: Run_, driver: Driver) -> None:
    begin("resume")
    assert begin("resume").name == begin("resume").name == "cell"
    assert driver.driven == [("cell", 2)]
    begin("resume", trials=5)
    assert driver.driven == [("cell", 2), ("cell", 5)]
    begin("resume", trials=5)
    assert driver.driven == [("cell", 2), ("cell", 5)]


def test_an_interrupted_run_goes_on(begin: Run_, driver: Driver) -> None:
    driver.reason = "interrupted"
    begin("resume")
    begin("resume")
    assert driver.driven == [("cell", 2), ("cell", 2)]


def test_another_experiment_is_not_taken_for_the_same(begin: Run_, driver: Driver) -> None:
    begin()
    with pytest.raises(RequestError) as refusal:
        begin("resume", seed=4, max_epochs=3)
    assert refusal.value.problems[0] == "The run was begun with max_epochs = 27, but the experiment has 3 now."
    assert refusal.value.problems[1].startswith("The run was begun with seed = 0, but the experiment has 4 now. Undo")
    assert "(--if-exists new or overwrite; in Python" in refusal.value.problems[1]
    assert len(driver.driven) == 1


def test_another_name_is_found(begin: Run_, tmp_path: Path) -> None:
    names = [begin("new").name for _ in range(4)]
    assert names[0] == "cell"
    assert len(set(names)) == 4
    assert all(name.startswith("cell-20") for name in names[1:])


def test_a_replaced_run_is_gone_and_what_a_person_has_put_there_is_not(begin: Run_, tmp_path: Path) -> None:
    folder = begin(trials=7).folder
    (folder / "trials" / "0000" / "epoch-000001").mkdir(parents=True)
    (folder / "trials" / "0000" / "epoch-000001" / "state.json").write_text("{}")
    (folder / "trials" / "0001").mkdir()
    strangers = Strangers(tmp_path / "outside")
    for place in (tmp_path / "runs", folder, folder / "trials", folder / "trials" / "0001"):
        strangers.fill(place)
    begin("overwrite")
    assert json.loads((folder / "experiment.json").read_text())["trials"] == 2
    assert strangers.lost() == []
    assert strangers.beside(folder) == ["experiment.json", "journal.jsonl", "lock", "trials"]
    assert strangers.beside(folder / "trials") == ["0001"]  # the stranger's files are in it
    assert strangers.beside(tmp_path / "runs") == ["cell"]


@pytest.mark.parametrize("error", [RequestError("load_data is wrong"), KeyboardInterrupt()])
def test_what_is_not_replaced_is_put_back(begin: Run_, driver: Driver, error: BaseException, tmp_path: Path) -> None:
    folder = begin().folder
    (folder / "notes.txt").write_text("mine")
    before = state(folder)
    driver.error = error
    with pytest.raises(type(error)):
        begin("overwrite", trials=9)
    assert state(folder) == before
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["cell"]


def test_a_run_that_somebody_works_on_is_not_replaced(begin: Run_) -> None:
    folder = begin().folder
    before = state(folder)
    with locked(folder), pytest.raises(RequestError, match="Another process is working on the run cell"):
        begin("overwrite")
    assert state(folder) == before


@pytest.mark.parametrize("choice", ["resume", "overwrite"])
def test_what_is_no_run_is_left_alone(begin: Run_, tmp_path: Path, choice: str) -> None:
    (tmp_path / "runs" / "cell").mkdir(parents=True)
    (tmp_path / "runs" / "cell" / "thesis.tex").write_text("mine")
    with pytest.raises(RequestError, match="cell exists, but is no run, so it can be neither resumed nor replaced"):
        begin(choice)
    assert (tmp_path / "runs" / "cell" / "thesis.tex").read_text() == "mine"


def test_what_a_killed_replacement_left_is_removed_by_the_next(begin: Run_, tmp_path: Path) -> None:
    folder = begin().folder
    killed = replaced_run(folder)
    killed.__enter__()
    create_folder(folder.parent, "cell", EXPERIMENT, "cell")
    (aside,) = (path for path in folder.parent.iterdir() if path != folder)
    content = json.loads((aside / MARK_FILE).read_text())
    content["process"][1] = "0"  # a process that began at another time
    (aside / MARK_FILE).write_text(json.dumps(content))
    (folder.parent / ".cell.notes").mkdir()
    begin("overwrite")
    assert sorted(path.name for path in folder.parent.iterdir()) == [".cell.notes", "cell"]
    killed.__exit__(None, None, None)


def repeat(tmp_path: Path, count: int = 2, if_exists: Any = "refuse", **fields: Any) -> list[Run]:
    experiment = EXPERIMENT.override(**{"trials": 2, **fields})
    return repeats.run_repeats(experiment, count, storage=tmp_path, name="group", if_exists=if_exists)


def test_repeats_go_on_are_replaced_and_get_another_name(driver: Driver, tmp_path: Path) -> None:
    repeat(tmp_path)
    with pytest.raises(RequestError, match="tune-jobs resume group"):
        repeat(tmp_path)
    repeat(tmp_path, if_exists="resume")
    assert len(driver.driven) == 2
    repeat(tmp_path, if_exists="resume", trials=3)
    assert driver.driven[2:] == [("group-1", 3), ("group-2", 3)]
    with pytest.raises(RequestError, match="begun with 2 repeats, but 3 are asked for now"):
        repeat(tmp_path, 3, "resume", trials=3)
    assert [run.name for run in repeat(tmp_path, 3, "overwrite", trials=1)] == ["group-1", "group-2", "group-3"]
    with pytest.raises(RequestError, match="`repeats` is 2, but the group group that is to be replaced has more"):
        repeat(tmp_path, 2, "overwrite")
    (first, second) = repeat(tmp_path, if_exists="new")
    assert first.name.startswith("group-20")
    assert second.name == f"{first.name[:-1]}2"
