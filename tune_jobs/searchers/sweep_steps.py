"""The steps of a sweep: which configurations each step compares, and which of them wins.

All functions depend on the space and on the results of the trials only. So a search computes the steps while it goes
on, and ``tune-jobs path`` computes the same steps from the run's folder afterwards.
"""

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
from search_spaces.space import Config

MISSING = object()
"""Stands for a value that ``start`` does not give."""


@dataclass
class SweptTrials:
    """The trials of a sweep, and their results.

    Attributes:
        trials: The trial of each configuration, by the configuration's identity.
        losses: The best loss of each trial that ended; infinite for a trial that failed.
    """

    trials: dict[Hashable, int] = field(default_factory=dict)
    losses: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SweepStep:
    """One grid of a sweep.

    Attributes:
        index: The index of the step among the sweep's steps, from 0.
        names: The parameters that it tries.
        incumbent: The configuration that it begins with, the winner of the step before. It is one of the contenders.
        contenders: Every combination of its parameters' values, in the order of the grid.
    """

    index: int
    names: tuple[str, ...]
    incumbent: Config
    contenders: tuple[Config, ...]

    def first_untried(self, swept: SweptTrials) -> Config | None:
        """Return the first contender that is not a trial yet; None if all are."""
        untried = (config for config, key in zip(self.contenders, self._keys, strict=True) if key not in swept.trials)
        return next(untried, None)

    def trials(self, swept: SweptTrials) -> dict[int, Config]:
        """Return the contenders that were tried so far, in this step or in an earlier one, by trial."""
        pairs = zip(self._keys, self.contenders, strict=True)
        return {swept.trials[key]: config for key, config in pairs if key in swept.trials}

    def winner(self, swept: SweptTrials) -> int | None:
        """Return the trial with the least loss; None while a contender has not ended.

        Of equally good trials the first wins. If all failed, the incumbent's trial wins.
        """
        if not all(swept.trials.get(key) in swept.losses for key in self._keys):
            return None
        best = min((swept.trials[key] for key in self._keys), key=lambda trial: (swept.losses[trial], trial))
        return swept.trials[identity(self.incumbent)] if swept.losses[best] == math.inf else best

    @cached_property
    def _keys(self) -> tuple[Hashable, ...]:
        return tuple(identity(config) for config in self.contenders)


@dataclass(frozen=True)
class SweepPlan:
    """The order of the steps of a sweep in one space.

    A step is skipped if it leaves nothing to choose, because its parameters are not active in the configuration that
    won the step before.

    Attributes:
        space: A valid space.
        steps: The names of each step's parameters.
        start: Values before the first step, by name.
    """

    space: SearchSpace
    steps: tuple[tuple[str, ...], ...]
    start: Mapping[str, Any]

    def first(self) -> SweepStep | None:
        """Return the first step; None if no step leaves anything to choose."""
        return self._first_from(0, self.space.assemble(self._start_value))

    def after(self, step: SweepStep, winner: Config) -> SweepStep | None:
        """Return the step that follows when a configuration has won a step; None if no step follows."""
        return self._first_from(step.index + 1, winner)

    def is_last(self, step: SweepStep) -> bool:
        """Return whether no step can follow, whichever configuration wins this one."""
        return step.index + 1 == len(self.steps)

    def steps_so_far(self, swept: SweptTrials) -> Iterator[tuple[SweepStep, int | None]]:
        """Yield the steps, each with the trial that won it; the last step may be undecided, with None."""
        step = self.first()
        while step is not None:
            winner = step.winner(swept)
            yield step, winner
            step = None if winner is None else self.after(step, step.trials(swept)[winner])

    def _first_from(self, start: int, incumbent: Config) -> SweepStep | None:
        for index in range(start, len(self.steps)):
            values = self._values(self.steps[index], incumbent)
            if len(list(islice(self.space.grid_of(values), 2))) > 1:
                return SweepStep(index, self.steps[index], incumbent, tuple(self.space.grid_of(values)))
        return None

    def _values(self, names: tuple[str, ...], incumbent: Config) -> Callable[[Slot], ValueGrid]:
        """Return a function that gives the values of a slot.

        The slots of the step's parameters have all their values. The others have the incumbent's value or, if the
        incumbent has none, the start value.
        """
        incumbent_values = self.space.flatten(incumbent)

        def values(slot: Slot) -> ValueGrid:
            grid = slot.parameter.grid()
            if slot.name in names and grid is not None:
                return grid
            if slot.label in incumbent_values:
                return (incumbent_values[slot.label],)
            return (self._start_value(slot),)

        return values

    def _start_value(self, slot: Slot) -> Any:
        value, grid = given_value(self.start, slot), slot.parameter.grid()
        return value if value is not MISSING or grid is None else grid[0]


def given_value(start: Mapping[str, Any], slot: Slot) -> Any:
    """Return the value that ``start`` gives a slot, or MISSING.

    For a repeated parameter ``start`` has one value for all elements, or a list of them.
    """
    value = start.get(slot.name, MISSING)
    for index in slot.index:
        if not isinstance(value, list) or slot.parameter.problem_with(value) is None:
            break
        value = value[index] if index < len(value) else MISSING
    return value


def max_contenders(space: SearchSpace, names: Collection[str]) -> int:
    """Return the largest number of contenders of a step, whatever the values of the other parameters are.

    Args:
        space: A valid space.
        names: The parameters of the step.
    """
    declared = space.to_json()["parameters"]
    counts = {parameter["name"]: parameter.get("per") for parameter in declared}
    lengths = {count for name in names for count in _counts_of(counts, name)} - set(names)
    kept = []
    for parameter in declared:
        name = parameter["name"]
        if name in lengths:
            longest = max(space.parameters[name].grid() or (0,))
            kept.append({"name": name, "kind": Fixed.__name__, "value": longest, "per": counts[name]})
        elif name in names:
            conditions = [condition for condition in parameter.get("when", []) if condition["parent"] in names]
            kept.append({**parameter, "when": conditions})
    return int(SearchSpace.from_json({"parameters": kept}).size)


def _counts_of(counts: Mapping[str, str | None], name: str) -> Iterator[str]:
    count = counts[name]
    while count is not None:
        yield count
        count = counts[count]
