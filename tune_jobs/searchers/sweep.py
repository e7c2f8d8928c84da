"""One hyperparameter at a time: a sequence of grids, in which the winner of each is carried into the next."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from search_spaces import SearchSpace, Slot
from search_spaces.json_values import identity, plain_copy
from search_spaces.messages import did_you_mean, mistake, short_repr
from search_spaces.space import Config
from tune_jobs.searchers.base import WAIT, Search, Searcher, Waiting
from tune_jobs.searchers.sweep_steps import MISSING, SweepPlan, SweptTrials, given_value, max_contenders

MAX_CONTENDERS = 10_000
"""Largest number of configurations of a step. All of them are held in memory, and the winner is one of them."""


@dataclass(frozen=True, init=False)
class Sweep(Searcher):
    """A searcher that tries all values of a few parameters, keeps the best, and goes on with the next few.

    A step is a grid over its parameters; all other parameters keep their values. When all trials of a step have ended,
    the one with the best objective wins. The configuration that the step began with is a contender too, and is not
    trained again. Nothing is tried twice. A step that leaves nothing to choose, because its parameters are not active,
    is skipped.

    Args:
        steps: The parameters of each step: a name, or several names that are combined. Empty: every parameter is a
            step, in the order of declaration.
        start: Values before the first step, by name. Parameters that are left out have the first value of their grid. A
            repeated parameter has one value for all elements, or a list of them.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from search_spaces import Choice, Float, SearchSpace
        >>> from tune_jobs.searchers import WAIT, Sweep
        >>> space = SearchSpace(units=Choice(32, 64), optimizer=Choice("adam", "sgd"), rate=Float(1e-4, 1e-1, log=True))
        >>> search = Sweep(("units", "optimizer"), {"rate": 0.01}).start(space, seed=0, rungs=(), max_epochs=10)
        >>> for trial, loss in enumerate([0.3, 0.2]):
        ...     print(search.propose(trial))
        ...     search.report(trial, 10, loss)
        {'units': 32, 'optimizer': 'adam', 'rate': 0.01}
        {'units': 64, 'optimizer': 'adam', 'rate': 0.01}
        >>> search.propose(2) is WAIT
        True
        >>> search.end(0, failed=False, trained_out=True)
        >>> search.end(1, failed=False, trained_out=True)
        >>> search.propose(2)
        {'units': 64, 'optimizer': 'sgd', 'rate': 0.01}
    """

    NAME: ClassVar[str] = "sweep"
    WARM: ClassVar[bool] = False  # its path would lead through trials of other runs

    steps: tuple[tuple[str, ...], ...]
    initial: Mapping[str, Any]  # not `start`, which is a method of every searcher

    def __init__(self, steps: Sequence[str | Sequence[str]] = (), start: Mapping[str, Any] | None = None) -> None:
        groups = tuple(map(_group, steps)) if isinstance(steps, list | tuple) else steps
        object.__setattr__(self, "steps", groups)
        object.__setattr__(self, "initial", plain_copy({} if start is None else start))
        self.__post_init__()

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        problems = _step_problems(self.steps)
        if not isinstance(self.initial, dict) or not all(isinstance(name, str) for name in self.initial):
            problems.append(mistake("start", self.initial, "values by name", "write start={'optimizer': 'adam'}"))
        return problems

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Return names that the space does not have, steps without a grid, and parameters without a value."""
        swept = [name for step in self.plan(space).steps for name in step]
        problems = [
            f"{argument}: {short_repr(name)} is not a parameter of the space: {did_you_mean(name, space.parameters)}."
            for argument, names in (("steps", swept), ("start", self.initial))
            for name in names
            if name not in space.parameters
        ]
        by_slot = [_slot_problem(slot, self.initial, is_in_step=slot.name in swept) for slot in space.slots()]
        problems += dict.fromkeys(problem for problem in by_slot if problem)
        if not problems:
            problems += [
                f"steps: The step {short_repr(step)} compares up to {_count(contenders)} configurations, but must "
                f"compare at most {MAX_CONTENDERS:,}: make several steps of it, or give its parameters fewer values."
                for step in self.plan(space).steps
                if (contenders := max_contenders(space, step)) > MAX_CONTENDERS
            ]
        if not problems and self.plan(space).first() is None:
            problems.append(
                "steps: None leaves anything to choose: their parameters have one value only, or are not active with "
                "these start values. Name others, or begin where they are active."
            )
        return problems

    def limit(self, space: SearchSpace) -> int:
        """Return an upper bound: the configuration that it starts with and, in each step, all others of the grid."""
        bound = 1 + sum(max_contenders(space, names) - 1 for names in self.plan(space).steps)
        return min(bound, space.size) if isinstance(space.size, int) else bound

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Return the search of a new run; nothing in it is random."""
        return _SweepSearch(self.plan(space))

    def plan(self, space: SearchSpace) -> SweepPlan:
        """Return the order of the steps in a space.

        Args:
            space: A valid space.
        """
        return SweepPlan(space, self.steps or tuple((name,) for name in space.parameters), self.initial)

    def to_json(self) -> dict[str, Any]:
        """Return the declaration as JSON."""
        return {"kind": self.NAME, "steps": self.steps, "start": self.initial}


class _SweepSearch(Search):
    def __init__(self, plan: SweepPlan) -> None:
        self._plan = plan
        self._step = plan.first()
        self._swept = SweptTrials()
        self._latest_losses: dict[int, float] = {}

    def propose(self, trial: int) -> Config | Waiting | None:
        self._advance()
        if self._step is None:
            return None
        config = self._step.first_untried(self._swept)
        if config is not None:
            self.remember(trial, config)
            return config
        return None if self._plan.is_last(self._step) else WAIT

    def remember(self, trial: int, config: Config) -> None:
        self._swept.trials.setdefault(identity(config), trial)

    def report(self, trial: int, epoch: int, loss: float) -> None:  # noqa: ARG002 - the interface has it
        self._latest_losses[trial] = loss

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:  # noqa: ARG002 - the interface has it
        self._swept.losses[trial] = math.inf if failed else self._latest_losses.get(trial, math.inf)

    def _advance(self) -> None:
        while self._step is not None and (winner := self._step.winner(self._swept)) is not None:
            self._step = self._plan.after(self._step, self._step.trials(self._swept)[winner])


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**18 else "more than 10^18"


def _group(step: Any) -> Any:
    if isinstance(step, str):
        return (step,)
    return tuple(step) if isinstance(step, list | tuple) else step


def _step_problems(steps: Any) -> list[str]:
    rule = "groups of parameter names, none empty"
    remedy = "write steps=(('layers', 'units'), 'optimizer')"
    if not isinstance(steps, tuple) or not all(_is_group(step) for step in steps):
        return [mistake("steps", steps, rule, remedy)]
    times = Counter(name for step in steps for name in step)
    return [
        f"steps: {short_repr(name)} is named {count} times, but must be named once: remove the others."
        for name, count in times.items()
        if count > 1
    ]


def _is_group(step: Any) -> bool:
    return isinstance(step, tuple) and len(step) > 0 and all(isinstance(name, str) for name in step)


def _slot_problem(slot: Slot, start: Mapping[str, Any], *, is_in_step: bool) -> str | None:
    name, parameter = slot.name, slot.parameter
    value = given_value(start, slot)
    if value is not MISSING and (reason := parameter.problem_with(value)):
        return f"start: {name} {reason}."
    if parameter.grid() is not None:
        return None
    if is_in_step:
        return (
            f"steps: {name} has a continuum of values, but a step needs a finite set: give it a step, or make it a "
            "Choice, in the space."
        )
    if value is MISSING:
        return (
            f"start: {name} has a continuum of values and is in no step, but must have one value: add it, as in "
            f"start={{{name!r}: …}}."
        )
    return None
