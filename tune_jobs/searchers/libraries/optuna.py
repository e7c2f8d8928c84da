"""Optuna's samplers as searchers: a study in memory that is asked for a configuration, and told what became of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from search_spaces import SearchSpace
from search_spaces.adapters.optuna import suggest, to_optuna
from search_spaces.messages import short_repr
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.errors import RequestError
from tune_jobs.searchers.base import Search, Searcher
from tune_jobs.searchers.internals.optuna_seeds import with_seed
from tune_jobs.searchers.tried import TriedConfigs

if TYPE_CHECKING:
    from optuna import Study, Trial

_ATTEMPTS = 10  # proposals of the sampler that were tried already, before another is drawn
_DRAWS = 1000
_REFUSED = {
    "GridSampler": "Grid() tries every configuration once",
    "BruteForceSampler": "Grid() tries every configuration once",
    "BaseSampler": "name a sampler, such as 'TPESampler'",
    "BaseGASampler": "name a sampler, such as 'NSGAIISampler'",
}
_NEEDED = {"CmaEsSampler": "cmaes", "GPSampler": "torch"}
_AN_OBJECT = "(…)"  # how experiment.json writes a sampler that it cannot hold


@dataclass(frozen=True)
class Optuna(Searcher):
    """A searcher that asks a sampler of Optuna (version 5).

    Conditions and repetition are Optuna's define-by-run: a trial suggests its active parameters only. A trial that the
    scheduler stopped is told as pruned, with its losses by epoch. One that failed, or whose loss became NaN, is told as
    failed. No configuration is tried twice. A resumed run asks the sampler again for every trial, which takes the time
    of its proposals again.

    Needs ``pip install 'tune-jobs[optuna]'``.

    Args:
        sampler: The name of a class of ``optuna.samplers``, or such a sampler with settings of its own. Its generators
            get the experiment's seed, whatever seed it was made with.

    Example:
        >>> from search_spaces import Choice, Float, SearchSpace
        >>> from tune_jobs import Optuna
        >>> space = SearchSpace(
        ...     optimizer=Choice("adam", "sgd"),
        ...     momentum=Float(0.0, 0.9).when(optimizer="sgd"),
        ... )
        >>> search = Optuna("RandomSampler").start(space, seed=0, rungs=(), max_epochs=10)
        >>> space.contains(search.propose(0))
        True
    """

    sampler: Any = "TPESampler"
    NAME: ClassVar[str] = "optuna"
    REASKED: ClassVar[bool] = True

    def problems(self) -> list[str]:
        """Return why there is no such sampler, and which package is missing."""
        if find_spec("optuna") is None:
            return ["Optuna is not installed: `pip install 'tune-jobs[optuna]'`."]
        from optuna import samplers

        name = _name(self.sampler)
        problem = None
        if isinstance(self.sampler, type):
            problem = f"is the class {name}, but must be a name or an object: call {name}()"
        elif isinstance(self.sampler, str) and name.endswith(_AN_OBJECT):
            problem = f"was an object in this run, {name}: declare it in the experiment's file again"
        elif isinstance(self.sampler, str) and name not in samplers.__all__:
            known = ", ".join(sorted(set(samplers.__all__) - _REFUSED.keys() - {"nsgaii", "PartialFixedSampler"}))
            problem = f"is {short_repr(self.sampler)}, but must be one of {known}, or a sampler of Optuna"
        elif not isinstance(self.sampler, str | samplers.BaseSampler):
            problem = f"is {short_repr(self.sampler)}, but must be a sampler of Optuna, or the name of its class"
        elif name in _REFUSED:
            problem = f"is {name}: {_REFUSED[name]}"
        elif name == "PartialFixedSampler" and isinstance(self.sampler, str):
            problem = "is PartialFixedSampler, which needs arguments: give the object, or use Fixed in the space"
        elif name in _NEEDED and find_spec(_NEEDED[name]) is None:
            problem = f"is {name}, which needs a package: `pip install {_NEEDED[name]}`"
        return [f"The value of `sampler` {problem}."] if problem else []

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Return the search of a new run."""
        return _OptunaSearch(space, self._seeded(seed), seed)

    def to_json(self) -> dict[str, Any]:
        """Return the declaration as JSON. Of a sampler that is an object, it has the class's name only."""
        name = _name(self.sampler)
        return {"kind": self.NAME, "sampler": name if isinstance(self.sampler, str) else f"{name}{_AN_OBJECT}"}

    def restored(self, settings: Mapping[str, Any]) -> Searcher:
        """Return the searcher that a run was begun with; a sampler that is an object is today's."""
        if self.to_json() == {"kind": self.NAME, **settings}:
            return self
        if str(settings.get("sampler")).endswith(_AN_OBJECT):
            raise RequestError(
                f"The run was begun with Optuna({settings['sampler']}), but the experiment declares {self!r} now: "
                "declare the sampler that the run was begun with, and resume again."
            )
        return Optuna(**settings)

    def _seeded(self, seed: int) -> Any:
        from optuna import samplers

        entropy = [seed, 0, RandomStream.OPTUNA]
        if not isinstance(self.sampler, str):
            return with_seed(self.sampler, entropy)
        number = int(np.random.SeedSequence(entropy).generate_state(1)[0]) % 2**31
        with _quiet():
            return getattr(samplers, self.sampler)(seed=number)


def _name(sampler: Any) -> str:
    if isinstance(sampler, str):
        return sampler
    return sampler.__name__ if isinstance(sampler, type) else type(sampler).__name__


@dataclass
class _TrialElsewhere:
    """A trial that the study did not suggest: of another run, or trained otherwise than it was suggested."""

    config: Config
    losses: dict[int, float] = field(default_factory=dict)


class _OptunaSearch(Search):
    def __init__(self, space: SearchSpace, sampler: Any, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._study = _new_study(sampler)
        self._asked: dict[int, Trial] = {}
        self._losses: dict[int, float] = {}
        self._elsewhere: dict[int, _TrialElsewhere] = {}
        self._tried = TriedConfigs(space)

    def propose(self, trial: int) -> Config | None:
        with _quiet():
            asked, config = self._untried(trial)
        if config is not None:
            self._asked[trial] = asked
            self._tried.add(config)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if trial in self._asked:
            self._fail(self._asked.pop(trial))
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            self._tried.add(config)
            self._elsewhere[trial] = _TrialElsewhere(config)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self._losses[trial] = loss
        if trial in self._asked:
            self._asked[trial].report(loss, step=epoch)
        elif trial in self._elsewhere:
            self._elsewhere[trial].losses[epoch] = loss

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        from optuna.trial import TrialState, create_trial

        loss = self._losses.pop(trial, None)
        state = TrialState.COMPLETE if trained_out and loss is not None else TrialState.PRUNED
        if failed:
            state = TrialState.FAIL
        if trial in self._asked:
            value = loss if state is TrialState.COMPLETE else None
            with _quiet():
                self._study.tell(self._asked.pop(trial), value, state=state)
        elif trial in self._elsewhere:
            other = self._elsewhere.pop(trial)
            params, distributions = to_optuna(self._space, other.config)
            self._study.add_trial(
                create_trial(
                    state=state,
                    value=None if failed else loss,
                    params=params,
                    distributions=distributions,
                    intermediate_values=other.losses,
                )
            )

    def _untried(self, trial: int) -> tuple[Any, Config | None]:
        """Return a trial of the study and its configuration, which was not tried before; None if there is none."""
        for _ in range(_ATTEMPTS):
            asked = self._study.ask()
            if (config := suggest(self._space, asked)) not in self._tried:
                return asked, config
            self._fail(asked)
        # The sampler wants what was tried, as in a small space that was searched for long.
        rng = np.random.default_rng([self._seed, trial, RandomStream.OPTUNA])
        drawn = self._tried.first_untried(self._space.sample(rng) for _ in range(_DRAWS))
        if drawn is None:
            return None, None
        self._study.enqueue_trial(to_optuna(self._space, drawn)[0])
        asked = self._study.ask()
        return asked, suggest(self._space, asked)

    def _fail(self, asked: Trial) -> None:
        from optuna.trial import TrialState

        self._study.tell(asked, state=TrialState.FAIL)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what Optuna says once a trial and parameter, such as that CMA-ES draws categories at random."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # the user has chosen the sampler
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _new_study(sampler: Any) -> Study:
    import optuna

    with _quiet():
        return optuna.create_study(sampler=sampler, pruner=optuna.pruners.NopPruner())
