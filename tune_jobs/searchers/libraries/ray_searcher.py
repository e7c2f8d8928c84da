"""Searchers of Ray Tune as they are: any ``ray.tune.search.Searcher``, in a run of ours."""

from __future__ import annotations

import copy
import logging
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np

from search_spaces import SearchSpace
from search_spaces.adapters.hyperopt import decode, encode
from search_spaces.messages import short_repr
from search_spaces.parameters import Float, Int, Parameter
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.errors import RequestError
from tune_jobs.searchers.base import WAIT, Search, Searcher, Waiting
from tune_jobs.searchers.tried import TriedConfigs

_LOSS = "loss"
_ATTEMPTS = 10  # suggestions that were tried already, before another configuration is drawn
_DRAWS = 1000
_REFUSED = {
    "BayesOptSearch": (
        "it knows neither logarithms nor categories, and proposes nothing more once a trial has failed",
        "Bayesian()",
    ),
    "ZOOptSearch": ("it knows no logarithms, and breaks steps", "Optuna() or HyperOpt()"),
    "HEBOSearch": ("its package cannot be installed beside a NumPy of today", "Optuna('GPSampler') or Bayesian()"),
    "Repeater": (
        "it repeats configurations, and no run of ours tries one twice",
        "the searcher in it, and `executions` of the experiment",
    ),
    "TuneBOHB": ("it works with Ray's HyperBandForBOHB only, which no run of ours has", "HyperOpt() with ASHA()"),
}


@dataclass(frozen=True)
class RaySearcher(Searcher):
    """A searcher that asks one of Ray Tune, as it is.

    It gets a parameter for each slot of the space, so conditions and repetition work with all of them. A parameter with
    steps, also a logarithmic one, is an index to it: so steps are exact, also for those that drop them, such as
    Nevergrad. What is inactive in a proposal is ignored. No configuration is tried twice. A resumed run asks the
    searcher again for every trial, in the old order among the results: nothing is saved.

    Args:
        searcher: An object of a subclass of ``ray.tune.search.Searcher``, made without a space, a metric and a mode:
            ``OptunaSearch(seed=0)``, ``HyperOptSearch(random_state_seed=0)``, ``NevergradSearch(optimizer=…)``. The run
            works with a copy of it.

    Example:
        >>> from ray.tune.search.hyperopt import HyperOptSearch
        >>> from search_spaces import Choice, Float, SearchSpace
        >>> from tune_jobs import RaySearcher
        >>> space = SearchSpace(
        ...     optimizer=Choice("adam", "sgd"), momentum=Float(0.0, 0.9, step=0.3).when(optimizer="sgd")
        ... )
        >>> search = RaySearcher(HyperOptSearch(random_state_seed=0)).start(space, seed=0, rungs=(), max_epochs=10)
        >>> space.contains(search.propose(0))
        True
    """

    searcher: Any
    NAME: ClassVar[str] = "ray"
    WARM: ClassVar[bool] = False
    REASKED: ClassVar[bool] = True

    def problems(self) -> list[str]:
        """Return why the searcher cannot be used here, and what to take instead."""
        from ray.tune.search import Searcher as TheirSearcher

        given, name = self.searcher, _name(self.searcher)
        if isinstance(given, type) and issubclass(given, TheirSearcher):
            return [f"The value of `searcher` is the class {name}, but must be an object: call {name}()."]
        if name == "BasicVariantGenerator":
            return ["The value of `searcher` is BasicVariantGenerator, which is no Searcher: use Random() or Grid()."]
        if not isinstance(given, TheirSearcher):
            return [f"The value of `searcher` is {short_repr(given)}, but must be a `ray.tune.search.Searcher`."]
        for kind in _kinds(given):
            if kind in _REFUSED:
                reason, instead = _REFUSED[kind]
                return [f"The value of `searcher` is {kind}, but {reason}: use {instead}."]
            if kind == "AxSearch" and not _has_ax():
                return [
                    "The value of `searcher` is AxSearch, which works with ax-platform >= 1.2.4 and < 1.3 only: "
                    "`pip install 'ax-platform>=1.2.4,<1.3'`, or use Optuna('GPSampler')."
                ]
        return []

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Return why it cannot search a space: a space or a metric of its own, or no seed."""
        return list(_space_problems(self, space)) if not self.problems() else []

    def notes(self, space: SearchSpace) -> list[str]:
        """Return a sentence about steps, which Nevergrad would drop in silence."""
        stepped = [
            name
            for name, parameter in space.parameters.items()
            if isinstance(parameter, Int | Float) and parameter.step is not None
        ]
        if not stepped or "NevergradSearch" not in _kinds(self.searcher):
            return []
        return [
            f"NevergradSearch knows no steps. The steps of {', '.join(stepped)} are kept: it searches their indices."
        ]

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Return the search of a new run."""
        return _RaySearch(space, self.searcher, seed)

    def to_json(self) -> dict[str, Any]:
        """Return the declaration as JSON: the name of the searcher's class."""
        return {"kind": self.NAME, "searcher": _name(self.searcher)}

    def restored(self, settings: Mapping[str, Any]) -> Searcher:
        """Return what the experiment's file declares today, if it is of the same class."""
        if settings.get("searcher") == _name(self.searcher):
            return self
        raise RequestError(
            f"The run was begun with RaySearcher({settings.get('searcher')}(…)), but the experiment declares "
            f"RaySearcher({_name(self.searcher)}(…)) now: declare what the run was begun with, and resume again."
        )

    def __repr__(self) -> str:
        return f"RaySearcher({_name(self.searcher)}(…))"


def slot_domains(space: SearchSpace) -> dict[str, Any]:
    """Return a domain of Ray for every slot that has more than one value, by label.

    The numbers are those of ``search_spaces.adapters.hyperopt``: an index where a parameter has steps or categories.
    """
    return {slot.label: _domain(slot.parameter) for slot in space.slots() if slot.parameter.size != 1}


def _domain(parameter: Parameter) -> Any:
    from ray import tune

    match parameter:
        case Int(lower, upper, None, False):
            return tune.randint(lower, upper + 1)
        case Int(lower, upper, None, True):
            return tune.loguniform(lower - 0.5, upper + 0.5)  # each whole number owns 0.5 on either side
        case Float(lower, upper, None, log):
            return (tune.loguniform if log else tune.uniform)(lower, upper)
        case (Int() | Float()) as stepped:
            return tune.randint(0, stepped.size or 1)
        case unordered:
            return tune.choice(list(range(unordered.size or 1)))


def _name(searcher: Any) -> str:
    return searcher.__name__ if isinstance(searcher, type) else type(searcher).__name__


def _kinds(searcher: Any) -> Iterator[str]:
    """Yield the names of a searcher's classes, and of those that it wraps, such as ConcurrencyLimiter's."""
    for _ in range(10):
        yield from (kind.__name__ for kind in type(searcher).__mro__)
        if (searcher := getattr(searcher, "searcher", None)) is None:
            return


def _has_ax() -> bool:
    with suppress(PackageNotFoundError, ValueError):
        return (1, 2, 4) <= tuple(int(part) for part in version("ax-platform").split(".")[:3]) < (1, 3)
    return False


@lru_cache(maxsize=16)
def _space_problems(declared: RaySearcher, space: SearchSpace) -> tuple[str, ...]:
    name = _name(declared.searcher)
    try:
        first, again = (_RaySearch(space, declared.searcher, 0).propose(0) for _ in range(2))
    except RequestError as error:
        return tuple(error.problems)
    except Exception as error:  # noqa: BLE001 - it is code of others
        return (f"{name} cannot search the space: {type(error).__name__}: {error}",)
    if first != again:
        return (f"{name} has no seed, so a resumed run could not go on: give it one, such as {_seeded(name)}.",)
    return ()


def _seeded(name: str) -> str:
    return f"{name}({'random_state_seed' if name in ('HyperOptSearch', 'AxSearch') else 'seed'}=0)"


@contextmanager
def _seeded_globals(entropy: Sequence[int]) -> Iterator[None]:
    """Seed the generators that a library may draw from, and put them back: Nevergrad draws from NumPy's global one.

    What it warns of is about the domains that the space was translated to, so it is not shown.
    """
    states = np.random.get_state(), random.getstate()  # noqa: NPY002
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    logger = logging.getLogger("optuna")  # it says that a study was made
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])


class _RaySearch(Search):
    def __init__(self, space: SearchSpace, searcher: Any, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._domains = slot_domains(space)
        self._ids: dict[int, str] = {}
        self._results: dict[int, dict[str, Any]] = {}
        self._elsewhere: dict[int, Config] = {}  # trials whose configurations are not what was suggested
        self._tried = TriedConfigs(space)
        self._searcher = copy.deepcopy(searcher)
        if not self._domains:
            return
        with _seeded_globals([seed, 0, RandomStream.RAY_SEARCHER]):
            was_set = self._searcher.set_search_properties(_LOSS, "min", self._domains)
        if not was_set:
            name = type(searcher).__name__
            raise RequestError(
                f"{name} has a space, a metric or a mode of its own: leave them out, the experiment has them."
            )

    def propose(self, trial: int) -> Config | Waiting | None:
        for attempt in range(_ATTEMPTS if self._domains else 0):
            trial_id = f"{trial}-{attempt}" if attempt else str(trial)
            with self._seeded(trial, 0, attempt):
                suggested = self._searcher.suggest(trial_id)
            if not isinstance(suggested, dict):
                return WAIT if suggested is None else None  # "FINISHED"
            config = decode(self._space, {label: float(number) for label, number in suggested.items()})
            if config not in self._tried:
                self._ids[trial] = trial_id
                self._tried.add(config)
                return config
            self._complete(trial_id, None, trial, attempt)
        # It wants what was tried, as in a small space that was searched for long.
        rng = np.random.default_rng([self._seed, trial, RandomStream.RAY_SEARCHER])
        drawn = self._tried.first_untried(self._space.sample(rng) for _ in range(_DRAWS))
        if drawn is not None:
            self.remember(trial, drawn)
        return drawn

    def remember(self, trial: int, config: Config) -> None:
        if trial in self._ids:
            self._complete(self._ids.pop(trial), None, trial)
        if self._space.contains(config):
            self._elsewhere[trial] = config
            self._tried.add(config)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        trial_id = self._ids.get(trial, str(trial))
        self._results[trial] = {
            _LOSS: loss,
            "training_iteration": epoch,
            "time_total_s": float(epoch),
            "trial_id": trial_id,
            "done": False,
        }
        if trial in self._ids:
            with self._seeded(trial, 1, epoch):
                self._searcher.on_trial_result(trial_id, dict(self._results[trial]))

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:  # noqa: ARG002 - Ray's searchers are not told
        result = self._results.pop(trial, None)
        if trial in self._ids:
            self._complete(self._ids.pop(trial), None if failed else result, trial)
        elif trial in self._elsewhere:
            numbers = encode(self._space, self._elsewhere.pop(trial))
            if result is not None and not failed and numbers.keys() == self._domains.keys():
                with suppress(NotImplementedError, TypeError), self._seeded(trial, 3, 0):
                    self._searcher.add_evaluated_point(numbers, result[_LOSS])

    def _complete(self, trial_id: str, result: dict[str, Any] | None, trial: int, attempt: int = 0) -> None:
        with self._seeded(trial, 2, attempt):
            self._searcher.on_trial_complete(trial_id, result and {**result, "done": True}, error=result is None)

    def _seeded(self, trial: int, call: int, number: int) -> Any:
        return _seeded_globals([self._seed, trial, RandomStream.RAY_SEARCHER, call, number])
