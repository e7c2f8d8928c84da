"""Warm start: the trials of old runs that a new run learns from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choice, Float, SearchSpace
from tests.support.examples import with_examples
from tests.support.fakes import MemoryEventLog, experiment
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.warm_start import sources_of, teach
from tune_jobs.engine.earlier_results.gather import gather
from tune_jobs.engine.run_folder.create import create_folder
from tune_jobs.engine.run_folder.warm_start_file import read_lessons
from tune_jobs.errors import RequestError
from tune_jobs.results import EpochReported, JournalWriter, Noted, Status, TrialEnded, TrialStarted
from tune_jobs.results.run import Run
from tune_jobs.schedulers import ASHA, NoScheduler
from tune_jobs.searchers import Grid, HyperOpt, Random, Search

GRID = SearchSpace(x=Choice(0.1, 0.2, 0.3, 0.4))


class ListeningSearch(Search):
    """Writes down its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def propose(self, trial: int) -> None:
        return None

    def remember(self, trial: int, config: dict[str, Any]) -> None:
        self.calls.append(("tried", trial, config["x"]))

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self.calls.append(("loss", trial, epoch, loss))

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        self.calls.append(("end", trial, failed, trained_out))


def trial(number: int, x: float, values: list[float], status: Status | None, **metrics: float) -> list[Any]:
    """A trial that reported these values, an epoch each, and ended so (None: it did not)."""
    events: list[Any] = [TrialStarted(time_s=1.0, trial=number, config={"x": x}, node="here")]
    for epoch, value in enumerate(values, start=1):
        reported = {"val_accuracy": value, **metrics}
        events.append(EpochReported(time_s=2.0, trial=number, epoch=epoch, metrics=reported, seconds=1.0))
    if status:
        events.append(TrialEnded(time_s=3.0, trial=number, status=status, reason="so", error=None))
    return events


def old_run(tmp_path: Path, *trials: list[Any], name: str = "old", **fields: Any) -> Run:
    made = create_folder(tmp_path, name, experiment(**fields), "test")
    with JournalWriter(made / "journal.jsonl") as journal:
        for events in trials:
            for event in events:
                journal.write(event)
    return Run(made)


def calls_of(run: Run, declared: Any) -> list[tuple[Any, ...]]:
    search = ListeningSearch()
    teach(search, gather([run], declared)[1], declared.objective)
    return search.calls


def test_results_are_heard_as_best_losses_under_numbers_of_their_own(tmp_path: Path) -> None:
    run = old_run(tmp_path, trial(3, 0.5, [0.2, 0.6, 0.4], Status.STOPPED), trial(4, 0.7, [0.1], Status.FAILED))
    assert calls_of(run, experiment()) == [
        ("tried", -1, 0.5),
        ("loss", -1, 1, -0.2),
        ("loss", -1, 2, -0.6),
        ("loss", -1, 3, -0.6),
        ("end", -1, False, False),
        ("tried", -2, 0.7),
        ("loss", -2, 1, -0.1),
        ("end", -2, True, False),
    ]


def test_what_lies_elsewhere_or_has_not_ended_is_left_out_and_counted(tmp_path: Path) -> None:
    run = old_run(
        tmp_path,
        trial(0, 0.5, [0.2], Status.STOPPED),
        trial(1, 1.5, [0.2], Status.STOPPED),
        trial(2, 0.6, [0.2], None),
        space=SearchSpace(x=Float(0.0, 2.0)),
    )
    ((taken,), events) = gather([run], experiment())
    assert str(taken) == "warm start from old: 1 of 3 results used: 1 outside x's range, 1 unfinished"
    (note, *others) = events
    assert isinstance(note, Noted)
    assert note.text == str(taken)
    assert (taken.trials, {event.trial for event in others}) == ((0,), {0})


def test_a_trial_that_never_met_a_rung_of_the_new_run_says_nothing(tmp_path: Path) -> None:
    run = old_run(tmp_path, trial(0, 0.5, [0.2, 0.3], Status.STOPPED), trial(1, 0.6, [], Status.DIVERGED))
    ((taken,), _) = gather([run], experiment(scheduler=ASHA(grace_period=3), max_epochs=9))
    assert taken.trials == (1,)
    ((taken,), _) = gather([run], experiment(scheduler=ASHA(grace_period=2), max_epochs=8))
    assert taken.trials == (0, 1)


def test_epochs_beyond_the_new_budget_are_not_heard_and_fewer_are_not_all(tmp_path: Path) -> None:
    run = old_run(tmp_path, trial(0, 0.5, [0.1] * 9, Status.COMPLETED), max_epochs=9)
    shorter = calls_of(run, experiment(max_epochs=3, scheduler=NoScheduler()))
    assert [event[2] for event in shorter if event[0] == "loss"] == [1, 2, 3]
    longer = experiment(max_epochs=27)
    assert calls_of(run, longer)[-1] == ("end", -1, False, False)
    early = old_run(tmp_path, trial(0, 0.5, [0.1] * 4, Status.COMPLETED), name="early", max_epochs=9)
    assert calls_of(early, longer)[-1] == ("end", -1, False, True)


def test_nan_epochs_are_not_heard(tmp_path: Path) -> None:
    run = old_run(tmp_path, trial(0, 0.5, [0.3], Status.DIVERGED, loss=float("nan")))
    assert calls_of(run, experiment()) == [("tried", -1, 0.5), ("end", -1, True, False)]


def test_another_objective_is_refused_and_all_of_them_are_told(tmp_path: Path) -> None:
    runs = [
        old_run(tmp_path, name="a", objective=Objective("val_loss", "min")),
        old_run(tmp_path, name="b", objective=Objective("val_accuracy", "min")),
    ]
    with pytest.raises(RequestError) as refused:
        gather(runs, experiment())
    assert [problem.split(" was ")[0] for problem in refused.value.problems] == ["The run a", "The run b"]


@pytest.mark.parametrize("searcher", [Random(), Grid()])
def test_what_was_tried_is_not_tried_again(tmp_path: Path, searcher: Any) -> None:
    run = old_run(tmp_path, trial(0, 0.3, [0.2], Status.STOPPED), trial(1, 0.1, [0.2], Status.STOPPED), space=GRID)
    declared = experiment(space=GRID, searcher=searcher, trials=None)
    _, lessons = gather([run], declared)
    coordinator = Coordinator(declared, MemoryEventLog(), lessons=lessons)
    proposals = [coordinator.propose() for _ in range(3)]
    assert sorted(config["x"] for _, config in filter(None, proposals)) == [0.2, 0.4]
    assert [number for number, _ in filter(None, proposals)] == [0, 1]


def test_hyperopt_starts_where_the_old_run_left_off(tmp_path: Path) -> None:
    trials = [trial(n, n / 40, [1 - abs(n / 40 - 0.7)] * 9, Status.COMPLETED) for n in range(40)]
    declared = experiment(searcher=HyperOpt(), trials=10)
    _, lessons = gather([old_run(tmp_path, *trials)], declared)

    def first(lessons: Any) -> list[float]:
        coordinator = Coordinator(declared, MemoryEventLog(), lessons=lessons)
        return [(coordinator.propose() or (0, {"x": 0.0}))[1]["x"] for _ in range(5)]

    assert sum(abs(x - 0.7) for x in first(lessons)) < sum(abs(x - 0.7) for x in first([]))
    warm = first(lessons)
    assert warm[0] == 0.7  # the best is tried again
    assert all(abs(x - 0.7) < 0.2 for x in warm[::2])  # those between are the searcher's own


def test_what_was_taken_is_in_the_new_folder_and_the_old_one_may_go(tmp_path: Path) -> None:
    run = old_run(tmp_path, trial(7, 0.5, [0.2], Status.STOPPED))
    taken, lessons = gather([run], experiment())
    made = create_folder(tmp_path, "new", experiment(), "test", warm_start=(taken, lessons))
    asked = json.loads((made / "experiment.json").read_text())
    assert asked["warm_start"] == [{"run": "old", "trials": [7], "of": 1, "dropped": {}}]
    assert read_lessons(made) == lessons
    assert read_lessons(run.folder) == []


@given(
    ends=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), st.sampled_from(["stopped", "completed", "failed"])))
)
@with_examples(30)
def test_every_trial_taken_can_be_judged(
    tmp_path_factory: pytest.TempPathFactory, ends: list[tuple[float, int, str]]
) -> None:
    """Else a searcher would take it for one that still runs, and so for a bad one, for ever."""
    from tune_jobs.searchers.trial_order import TrialOrder

    declared = experiment(scheduler=ASHA(grace_period=2), max_epochs=8)

    class Judging(ListeningSearch):
        merits = TrialOrder([*declared.rungs, declared.max_epochs])

        def report(self, trial: int, epoch: int, loss: float) -> None:
            self.merits.report(trial, epoch, loss)

        def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
            self.merits.end(trial, failed=failed, trained_out=trained_out)

    old = [trial(number, x, [x] * epochs, Status(status)) for number, (x, epochs, status) in enumerate(ends)]
    run = old_run(tmp_path_factory.mktemp("runs"), *old, max_epochs=9)
    try:
        ((taken,), lessons) = gather([run], declared)
    except RequestError as error:
        assert "0 of" in str(error) or "no results" in str(error)  # noqa: PT017 - often there is nothing to take
        return
    judging = Judging()
    judging.merits = TrialOrder([*declared.rungs, declared.max_epochs])
    teach(judging, lessons, declared.objective)
    assert sorted(judging.merits.best_first()) == [-n for n in range(len(taken.trials), 0, -1)]


def test_the_file_tells_its_sources_apart(tmp_path: Path) -> None:
    runs = [
        old_run(tmp_path, *(trial(n, n / 9, [0.2], Status.STOPPED) for n in range(size)), name=str(size))
        for size in (2, 3)
    ]
    _, lessons = gather(runs, experiment())
    assert sources_of(lessons) == [0, 2]
    assert sources_of([event for event in lessons if not isinstance(event, Noted)]) == [0]  # of an older version


def test_a_trial_that_completed_without_a_finite_objective_counts_as_failed(tmp_path: Path) -> None:
    nan = float("nan")
    run = old_run(tmp_path, trial(0, 0.5, [nan, nan], Status.COMPLETED, loss=0.1), max_epochs=2)
    assert calls_of(run, experiment()) == [("tried", -1, 0.5), ("end", -1, True, False)]
