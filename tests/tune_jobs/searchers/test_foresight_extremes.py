"""Foresight goes on whatever the objective and the space are, and a run that is cut anywhere goes on as before."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Fixed, Float, Int, SearchSpace
from tune_jobs.searchers import Foresight, Search
from tune_jobs.searchers.base import number_of_other_run
from tune_jobs.testing import check_searcher

SPACE = SearchSpace(x=Float(0.0, 1.0), layers=Int(1, 3), kind=Choice("a", "b"))


def search_of(space: SearchSpace = SPACE, rungs: tuple[int, ...] = (1, 3, 9), max_epochs: int = 27) -> Search:
    return Foresight(random_part=0.0).start(space, seed=2, rungs=rungs, max_epochs=max_epochs)


def run_trials(search: Search, space: SearchSpace, loss: Callable[[int, int], float], trials: int = 24) -> int:
    """Run trials of 1, 3 or 9 epochs; return the number of different configurations."""
    configs = []
    for trial in range(trials):
        config = search.propose(trial)
        if config is None:
            break
        assert isinstance(config, dict)
        assert space.contains(config)
        configs.append(str(config))
        for epoch in range(1, (1, 1, 3, 1, 9)[trial % 5] + 1):
            search.report(trial, epoch, loss(trial, epoch))
        if trial % 4:
            search.end(trial, failed=trial % 6 == 5, trained_out=trial % 5 == 4)
    return len(set(configs))


LOSSES: dict[str, Callable[[int, int], float]] = {
    "all equal": lambda trial, epoch: 0.5,
    "saturated": lambda trial, epoch: -min(1.0, 0.6 + 0.1 * epoch + 0.02 * trial),
    "huge": lambda trial, epoch: (1e300, -1e300, 1e-300)[trial % 3] / epoch,
    "infinite": lambda trial, epoch: (math.inf, -math.inf, 1.0)[trial % 3],
    "NaN": lambda trial, epoch: math.nan if trial % 2 else 1.0 / epoch,
    "NaN only": lambda trial, epoch: math.nan,
    "rising": lambda trial, epoch: float(epoch * trial),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_any_objective_is_survived(loss: Callable[[int, int], float]) -> None:
    assert run_trials(search_of(), SPACE, loss) == 24


def test_failures_alone_are_survived() -> None:
    search = search_of()
    for trial in range(20):
        assert isinstance(search.propose(trial), dict)
        search.end(trial, failed=True, trained_out=False)


SPACES = {
    "one parameter": SearchSpace(x=Float(1e-8, 1e8, log=True)),
    "one large number": SearchSpace(x=Float(-1e100, 1e100)),
    "whole numbers to 2**53": SearchSpace(x=Int(1, 2**53, log=True), y=Int(-(2**53), 2**53)),
    "categories": SearchSpace(a=Choice(*range(9)), b=Choice("x", None, [1, 2]), c=Boolean(), d=Choice(0.1, 1)),
    "one long list": SearchSpace(a=Choice(*range(300))),
    "one that is fixed": SearchSpace(x=Float(0.0, 1.0), y=Fixed("same")),
    "50 conditional parameters": SearchSpace(
        optimizer=Choice("sgd", "adam"),
        **{f"p{index}": Float(0.0, 1.0).when(optimizer=("sgd", "adam")[index % 2]) for index in range(50)},
    ),
    "lists of lists": SearchSpace(
        blocks=Int(1, 3),
        layers=Int(1, 2).per("blocks"),
        units=Int(8, 64).per("layers"),
        kind=Choice(None, "relu").per("blocks"),
        rate=Choice(None, 0.1, 0.2).per("blocks").when(kind="relu"),
    ),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_any_space_is_searched(space: SearchSpace) -> None:
    assert run_trials(search_of(space), space, lambda trial, epoch: math.sin(trial) / epoch) == 24


def test_a_space_without_a_choice_ends_after_one_trial() -> None:
    assert run_trials(search_of(SearchSpace(x=Fixed(1))), SearchSpace(x=Fixed(1)), lambda trial, epoch: 1.0) == 1


@pytest.mark.parametrize(("rungs", "max_epochs"), [((), 1), ((), 10_000), ((1, 3, 9), 10), (tuple(range(1, 50)), 50)])
def test_any_number_of_epochs_will_do(rungs: tuple[int, ...], max_epochs: int) -> None:
    search = search_of(rungs=rungs, max_epochs=max_epochs)
    for trial in range(16):
        assert isinstance(search.propose(trial), dict)
        for epoch in {1, max(1, max_epochs * trial // 16), max_epochs if trial == 7 else 1}:
            search.report(trial, epoch, 1.0 / (trial + epoch))
        search.end(trial, failed=False, trained_out=trial == 7)


def test_trials_of_a_run_with_more_epochs_teach_it() -> None:
    search = search_of(max_epochs=10, rungs=(1, 3, 9))
    for index in range(8):
        other = number_of_other_run(index)
        search.remember(other, {"x": index / 8, "layers": 1 + index % 3, "kind": "a"})
        for epoch in (1, 3, 30, 300)[: 1 + index % 4]:
            search.report(other, epoch, index / epoch)
        search.end(other, failed=False, trained_out=True)
    assert run_trials(search, SPACE, lambda trial, epoch: 1 / epoch) == 24


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_run_that_is_cut_anywhere_goes_on_as_before(data: st.DataObject) -> None:
    """Trials of other runs come first. Several run at a time; they report, fail and end in any order."""
    draw, trials = data.draw, 14
    whole = search_of()
    configs: list[dict[str, Any]] = []
    calls: list[tuple[str, tuple[Any, ...]]] = []
    epochs: dict[int, int] = {}

    def call(name: str, *arguments: Any) -> None:
        calls.append((name, arguments))
        tell(whole, name, arguments)

    for index in range(draw(st.integers(0, 6))):
        other = number_of_other_run(index)
        call("remember", other, {"x": index / 7, "layers": 1 + index % 3, "kind": "b"})
        call("report", other, draw(st.sampled_from([1, 3, 27, 50])), float(draw(st.integers(-3, 3))))
        call("end", other, draw(st.booleans()), draw(st.booleans()))
    while len(configs) < trials:
        if len(epochs) < 3 and (not epochs or draw(st.booleans())):
            config = whole.propose(len(configs))
            assert isinstance(config, dict)
            calls.append(("remember", (len(configs), config)))
            epochs[len(configs)] = 0
            configs.append(config)
            continue
        trial = draw(st.sampled_from(sorted(epochs)))
        if epochs[trial] == 27 or draw(st.integers(0, 3)) == 0:
            call("end", trial, draw(st.integers(0, 4)) == 0, epochs[trial] == 27)
            del epochs[trial]
        else:
            epochs[trial] += 1
            call("report", trial, epochs[trial], float(draw(st.integers(-3, 3))))

    cut = draw(st.integers(0, len(calls)))
    resumed = search_of()
    for name, arguments in calls[:cut]:
        tell(resumed, name, arguments)
    for name, arguments in calls[cut:]:
        if name == "remember" and arguments[0] >= 0:
            assert resumed.propose(arguments[0]) == arguments[1]
        else:
            tell(resumed, name, arguments)


def tell(search: Search, name: str, arguments: tuple[Any, ...]) -> None:
    if name == "end":
        trial, failed, trained_out = arguments
        search.end(trial, failed=failed, trained_out=trained_out)
    else:
        getattr(search, name)(*arguments)


def test_it_keeps_the_contract_with_many_workers() -> None:
    check_searcher(Foresight(startup_trials=3), trials=20, workers=6)
