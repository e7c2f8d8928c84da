"""The steps of a sweep, as functions of the space and of what came of the trials: what each compares, and who wins."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from search_spaces import Fixed, SearchSpace, Slot
from search_spaces.json_values import identity
from search_spaces.parameters.grids import ValueGrid
from tune_jobs.searchers.base import Config

MISSING = object()


@dataclass
class Tried:
    """What was tried in a run, and what came of it.

    Attributes:
        trials: The trial of each configuration, by the configuration's identity.
        losses: The best loss of each trial that ended; infinite for one that failed.
    """

    trials: dict[Hashable, int] = field(default_factory=dict)
    losses: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One grid of a sweep.

    Attributes:
        place: Its place among the sweep's steps, from 0.
        names: The parameters that it tries.
        incumbent: The configuration that it begins with, the winner of the step before: one of the contenders.
        contenders: Every combination of its parameters' values, in the order of the grid.
    """

    place: int
    names: tuple[str, ...]
    incumbent: Config
    contenders: tuple[Config, ...]

    def untried(self, tried: Tried) -> Config | None:
        """The first contender that is not a trial yet; None when all are."""
        found = (config for config, key in zip(self.contenders, self._keys, strict=True) if key not in tried.trials)
        return next(found, None)

    def trials(self, tried: Tried) -> dict[int, Config]:
        """The contenders that were tried so far, in this step or in an earlier one, by trial."""
        pairs = zip(self._keys, self.contenders, strict=True)
        return {tried.trials[key]: config for key, config in pairs if key in tried.trials}

    def winner(self, tried: Tried) -> int | None:
        """The trial with the least loss, of equals the first; the incumbent's when all failed.

        None before every contender has ended.
        """
        if not all(tried.trials.get(key) in tried.losses for key in self._keys):
            return None
        best = min((tried.trials[key] for key in self._keys), key=lambda trial: (tried.losses[trial], trial))
        return tried.trials[identity(self.incumbent)] if tried.losses[best] == math.inf else best

    @cached_property
    def _keys(self) -> tuple[Hashable, ...]:
        return tuple(identity(config) for config in self.contenders)


@dataclass(frozen=True)
class Course:
    """A sweep in one space: which step follows which.

    A step that leaves nothing to choose is skipped: its parameters are not active in the configuration that won.

    Attributes:
        space: What is searched.
        steps: The names of each step's parameters.
        start: Values before the first step, by name.
    """

    space: SearchSpace
    steps: tuple[tuple[str, ...], ...]
    start: Mapping[str, Any]

    def first(self) -> Step | None:
        """The first step; None when no step leaves anything to choose."""
        return self._from(0, self.space.assemble(self._start_value))

    def after(self, step: Step, winner: Config) -> Step | None:
        """The step that follows one when a configuration has won it; None when that was the last."""
        return self._from(step.place + 1, winner)

    def is_last(self, step: Step) -> bool:
        """Whether no step can follow, whoever wins this one."""
        return step.place + 1 == len(self.steps)

    def so_far(self, tried: Tried) -> Iterator[tuple[Step, int | None]]:
        """The steps, each with the trial that won it; only the last may be undecided, with None."""
        step = self.first()
        while step is not None:
            winner = step.winner(tried)
            yield step, winner
            step = None if winner is None else self.after(step, step.trials(tried)[winner])

    def _from(self, place: int, incumbent: Config) -> Step | None:
        for at in range(place, len(self.steps)):
            values = self._values(self.steps[at], incumbent)
            if len(list(islice(self.space.grid_of(values), 2))) > 1:
                return Step(at, self.steps[at], incumbent, tuple(self.space.grid_of(values)))
        return None

    def _values(self, names: tuple[str, ...], incumbent: Config) -> Callable[[Slot], ValueGrid]:
        """Every value of a step's parameters; of the others the incumbent's, or the start's where it has none."""
        held = self.space.flatten(incumbent)

        def values(slot: Slot) -> ValueGrid:
            grid = slot.parameter.grid()
            if slot.name in names and grid is not None:
                return grid
            return (held[slot.label] if slot.label in held else self._start_value(slot),)

        return values

    def _start_value(self, slot: Slot) -> Any:
        given, grid = given_value(self.start, slot), slot.parameter.grid()
        return given if given is not MISSING or grid is None else grid[0]


def given_value(start: Mapping[str, Any], slot: Slot) -> Any:
    """A slot's value in `start`, or MISSING; a repeated parameter has one for all elements, or a list of them."""
    value = start.get(slot.name, MISSING)
    for nth in slot.index:
        if not isinstance(value, list) or slot.parameter.problem_with(value) is None:
            break
        value = value[nth] if nth < len(value) else MISSING
    return value


def most_contenders(space: SearchSpace, names: Collection[str]) -> int:
    """How many contenders a step over these parameters has at most, whatever the values of all others are."""
    declared = space.to_json()["parameters"]
    counts = {each["name"]: each.get("per") for each in declared}
    lengths = {above for name in names for above in _chain(counts, name)} - set(names)
    kept = []
    for each in declared:
        name = each["name"]
        if name in lengths:
            most = max(space.parameters[name].grid() or (0,))
            kept.append({"name": name, "kind": Fixed.__name__, "value": most, "per": counts[name]})
        elif name in names:
            when = [condition for condition in each.get("when", []) if condition["parent"] in names]
            kept.append({**each, "when": when})
    return int(SearchSpace.from_json({"parameters": kept}).size)


def _chain(counts: Mapping[str, str | None], name: str) -> Iterator[str]:
    above = counts[name]
    while above is not None:
        yield above
        above = counts[above]
