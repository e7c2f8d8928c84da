"""One hyperparameter at a time: a sequence of grids, the winner of each carried into the next."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from search_spaces import SearchSpace, Slot
from search_spaces.json_values import identity, plain_copy
from search_spaces.messages import did_you_mean, mistake, short_repr
from tune_jobs.searchers.base import WAIT, Config, Search, Searcher, Waiting
from tune_jobs.searchers.sweep_steps import MISSING, Course, Tried, given_value, most_contenders


@dataclass(frozen=True, init=False)
class Sweep(Searcher):
    """Tries all values of a few parameters, and keeps the best before it goes on with the next few.

    A step is a grid over its parameters; all others stay what they were. Its winner is the trial with the best
    objective, once all of them have ended; the configuration that the step began with contends, and is not trained
    again. Nothing is tried twice. A step that leaves nothing to choose, because its parameters are not active, is
    skipped.

    Args:
        steps: The parameters of each step: a name, or several that are combined. Empty: every parameter is a step.
        start: Values before the first step, by name; of parameters left out, the first of their grid. What is repeated
            has one value for all elements, or a list of them.
    """

    NAME: ClassVar[str] = "sweep"
    WARM: ClassVar[bool] = False  # the path that it took would lead through trials of other runs

    steps: tuple[tuple[str, ...], ...]
    initial: Mapping[str, Any]  # not `start`, which is what every searcher does

    def __init__(self, steps: Sequence[str | Sequence[str]] = (), start: Mapping[str, Any] | None = None) -> None:
        groups = tuple(map(_group, steps)) if isinstance(steps, list | tuple) else steps
        object.__setattr__(self, "steps", groups)
        object.__setattr__(self, "initial", plain_copy({} if start is None else start))
        self.__post_init__()

    def problems(self) -> list[str]:
        """All that is wrong with it."""
        problems = _step_problems(self.steps)
        if not isinstance(self.initial, dict) or not all(isinstance(name, str) for name in self.initial):
            problems.append(mistake("start", self.initial, "values by name", "write start={'optimizer': 'adam'}"))
        return problems

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Names that the space has not, steps without a grid, and parameters that nothing gives a value."""
        swept = [name for step in self.course(space).steps for name in step]
        problems = [
            f"{where}: {short_repr(name)} is not a parameter of the space: {did_you_mean(name, space.parameters)}."
            for where, names in (("steps", swept), ("start", self.initial))
            for name in names
            if name not in space.parameters
        ]
        found = [_slot_problem(slot, self.initial, in_a_step=slot.name in swept) for slot in space.slots()]
        problems += dict.fromkeys(problem for problem in found if problem)
        if not problems and self.course(space).first() is None:
            problems.append(
                "steps: None leaves anything to choose: their parameters have one value only, or are not active with "
                "these start values. Name others, or begin where they are active."
            )
        return problems

    def limit(self, space: SearchSpace) -> int:
        """At most the configuration that it starts with and, in every step, all others of its grid."""
        bound = 1 + sum(most_contenders(space, names) - 1 for names in self.course(space).steps)
        return min(bound, space.size) if isinstance(space.size, int) else bound

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:  # noqa: ARG002
        """Begins a run; a sweep has nothing random."""
        return _SweepSearch(self.course(space))

    def course(self, space: SearchSpace) -> Course:
        """Which step follows which in a space."""
        return Course(space, self.steps or tuple((name,) for name in space.parameters), self.initial)

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON."""
        return {"kind": self.NAME, "steps": self.steps, "start": self.initial}


class _SweepSearch(Search):
    def __init__(self, course: Course) -> None:
        self._course = course
        self._step = course.first()
        self._tried = Tried()
        self._latest: dict[int, float] = {}

    def propose(self, trial: int) -> Config | Waiting | None:
        self._advance()
        if self._step is None:
            return None
        config = self._step.untried(self._tried)
        if config is not None:
            self.remember(trial, config)
            return config
        return None if self._course.is_last(self._step) else WAIT

    def remember(self, trial: int, config: Config) -> None:
        self._tried.trials.setdefault(identity(config), trial)

    def report(self, trial: int, epoch: int, loss: float) -> None:  # noqa: ARG002 - the interface's
        self._latest[trial] = loss

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:  # noqa: ARG002 - the interface's
        self._tried.losses[trial] = math.inf if failed else self._latest.get(trial, math.inf)

    def _advance(self) -> None:
        while self._step is not None and (winner := self._step.winner(self._tried)) is not None:
            self._step = self._course.after(self._step, self._step.trials(self._tried)[winner])


def _group(step: Any) -> Any:
    if isinstance(step, str):
        return (step,)
    return tuple(step) if isinstance(step, list | tuple) else step


def _step_problems(steps: Any) -> list[str]:
    form = "groups of parameter names, none empty"
    remedy = "write steps=(('layers', 'units'), 'optimizer')"
    if not isinstance(steps, tuple) or not all(_is_group(step) for step in steps):
        return [mistake("steps", steps, form, remedy)]
    times = Counter(name for step in steps for name in step)
    return [
        f"steps: {short_repr(name)} is in {count} places, but must be in one: remove the others."
        for name, count in times.items()
        if count > 1
    ]


def _is_group(step: Any) -> bool:
    return isinstance(step, tuple) and len(step) > 0 and all(isinstance(name, str) for name in step)


def _slot_problem(slot: Slot, start: Mapping[str, Any], *, in_a_step: bool) -> str | None:
    name, parameter = slot.name, slot.parameter
    value = given_value(start, slot)
    if value is not MISSING and (reason := parameter.problem_with(value)):
        return f"start: {name} {reason}."
    if parameter.grid() is not None:
        return None
    if in_a_step:
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
