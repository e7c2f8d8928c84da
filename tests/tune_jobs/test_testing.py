"""The contract of searchers: all of ours keep it, and it finds those that do not."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from search_spaces import Choice, SearchSpace
from search_spaces.space import Config
from tests.support.fakes import experiment
from tests.support.simulation import Simulation
from tune_jobs.errors import RequestError
from tune_jobs.experiment.record import restore_experiment, write_record
from tune_jobs.results import TrialStarted, fold
from tune_jobs.results.journal.lines import decode, encode
from tune_jobs.searchers import SEARCHERS, WAIT, Random, Search, Searcher, Waiting
from tune_jobs.testing import check_searcher


@pytest.mark.parametrize("kind", SEARCHERS.values(), ids=SEARCHERS)
def test_every_searcher_of_ours_keeps_its_promises(kind: type[Searcher]) -> None:
    check_searcher(kind(), trials=6)


@pytest.mark.parametrize("kind", SEARCHERS.values(), ids=SEARCHERS)
def test_and_with_settings_that_let_it_learn_early(kind: type[Searcher]) -> None:
    if "startup_trials" not in kind.__dataclass_fields__:  # type: ignore[attr-defined]
        pytest.skip("it learns from the first trial on, or never")
    check_searcher(kind(startup_trials=4), trials=6)  # type: ignore[call-arg]


class _Stateful(Search):
    """Draws go on from a generator of its own: proposals depend on those before."""

    def __init__(self, space: SearchSpace, rng: Any) -> None:
        self.space, self.rng, self.losses = space, rng, 0.0

    def propose(self, trial: int) -> Config | Waiting | None:
        draws = iter(lambda: self.rng.random() + self.losses % 1, None)
        return self.space.assemble(
            lambda slot: slot.parameter.grid()[int(next(draws) * 7919) % slot.parameter.size]  # type: ignore[index,operator]
        )

    def remember(self, trial: int, config: Config) -> None:
        pass

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self.losses += loss


SPACE = SearchSpace(a=Choice(*range(50)), b=Choice(*range(50)))


class _Own(Searcher):
    NAME: ClassVar[str] = "own"

    def problems(self) -> list[str]:
        return []

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        return _Stateful(space, random.Random(seed))  # noqa: S311


@dataclass(frozen=True)
class Forgetful(_Own):
    """Keeps a state, and does not say so."""


@dataclass(frozen=True)
class Reasked(_Own):
    """Keeps a state, and says so."""

    REASKED: ClassVar[bool] = True


@dataclass(frozen=True)
class Unseeded(_Own):
    REASKED: ClassVar[bool] = True

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        return _Stateful(space, random.Random())  # noqa: S311


@dataclass(frozen=True)
class Global(_Own):
    REASKED: ClassVar[bool] = True

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        return _Stateful(space, random)


@dataclass(frozen=True)
class Outside(_Own):
    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        class Numbers(_Stateful):
            def propose(self, trial: int) -> Config:
                return {"a": trial, "b": 50}

        return Numbers(space, None)


@dataclass(frozen=True)
class Waits(_Own):
    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        class Never(_Stateful):
            count = itertools.count()

            def propose(self, trial: int) -> Config | Waiting:
                return {"a": trial, "b": 0} if trial < 2 else WAIT

        return Never(space, None)


@dataclass(frozen=True)
class NoJson(_Own):
    of: Any = print


@dataclass(frozen=True)
class Own(_Own):
    of: int = 0


def test_a_searcher_with_a_state_of_its_own_is_asked_again() -> None:
    check_searcher(Reasked(), SPACE)


class Lab(Simulation):
    def value(self, trial: int, epoch: int, config: dict[str, Any]) -> float:
        return float(config["a"] + epoch)


def test_a_search_that_waits_for_nothing_ends_the_run_in_words() -> None:
    run = Lab(experiment(space=SPACE, searcher=Waits(), trials=9)).run()
    (told,) = [note.text for note in run.history.notes]
    assert (
        told == "Waits had nothing more to propose after 2 trials: the run ended before its budget was used (trials 9)."
    )


@pytest.mark.parametrize("cut", [3, 8, 13, 21])
def test_a_resumed_run_asks_again_where_it_asked_before(cut: int) -> None:
    declared = experiment(space=SPACE, searcher=Reasked(), trials=9)
    whole = Lab(declared, workers=3).run()
    journal = [decode(encode(event)) for event in whole.log.events]
    resumed = Lab(declared, workers=3).run([event for event in journal if event is not None][:cut])
    started = {number: trial.config for number, trial in fold(whole.log.events[:cut]).trials.items()}
    assert {number: resumed.history.trials[number].config for number in started} == started
    assert not resumed.history.notes


def test_a_search_that_answers_otherwise_is_told_what_was_trained_and_so_is_the_user() -> None:
    declared = experiment(space=SPACE, searcher=Reasked(), trials=4)
    events = list(Lab(declared, workers=1).run().log.events)
    changed = [
        replace(event, config={"a": 0, "b": 0}) if isinstance(event, TrialStarted) else event for event in events
    ]
    resumed = Lab(replace(declared, trials=5), workers=1).run(changed)
    (note,) = [note.text for note in resumed.history.notes]
    assert note.startswith(
        "Asked again for the earlier trials, Reasked proposed other configurations for 4 trials (0, 1"
    )
    assert resumed.history.trials[0].config == {"a": 0, "b": 0}


def test_a_searcher_of_ones_own_is_resumed_with_the_settings_that_the_run_was_begun_with() -> None:
    record = json.loads(json.dumps(write_record("r", experiment(searcher=Own(of=3)), "e", None)))
    assert restore_experiment(experiment(searcher=Own(of=4)), record).searcher == Own(of=3)
    with pytest.raises(RequestError, match=r"begun with `own`, but the experiment declares Random\(\) now"):
        restore_experiment(experiment(searcher=Random()), record)


@pytest.mark.parametrize(
    ("searcher", "told"),
    [
        (Forgetful(), "goes on with other configurations"),
        (Unseeded(), "With the same seed it proposes other configurations"),
        (Global(), "draws from a global random state"),
        (Outside(), "which is not in the space: b is 50"),
        (Waits(), "It proposed 2 of 12 trials"),
        (NoJson(), "which is not JSON"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_searcher_that_breaks_a_promise_is_told(searcher: Searcher, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_searcher(searcher, SPACE)
