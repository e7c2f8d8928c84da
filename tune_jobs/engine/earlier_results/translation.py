"""The translation of earlier results into the space of a run, which may be another one."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from search_spaces import SearchSpace, Slot
from search_spaces.json_values import identity
from search_spaces.parameters import Boolean, Float, Int, Parameter
from search_spaces.parameters.grids import steps_between
from search_spaces.space import Config
from tune_jobs.engine.earlier_results.source import WarmStart

_MISSING = object()


class LeftOut(Exception):  # noqa: N818 - what happened to a result
    """The reason why a result cannot be taken into a space, in words that follow a number of results."""


@dataclass
class Changes:
    """The changes in results that make them fit, by parameter, with the number of results.

    Attributes:
        drawn: The parameters that the source does not have, whose values were drawn.
        given: The parameters that the source does not have, whose values the user has given.
        moved: The parameters whose numbers were moved to the nearest step.
        clamped: The parameters whose numbers were moved to the end of their range.
    """

    drawn: dict[str, int] = field(default_factory=dict)
    given: dict[str, int] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    clamped: dict[str, int] = field(default_factory=dict)

    def count(self, others: Changes) -> None:
        """Add the changes of one result."""
        for mine, theirs in zip(vars(self).values(), vars(others).values(), strict=True):
            for name in theirs:
                mine[name] = mine.get(name, 0) + 1

    def sentences(self, names: frozenset[str], space: SearchSpace) -> list[str]:
        """Return the changes in words.

        Args:
            names: The names of the source's parameters, as far as it tells them.
            space: The space.
        """
        labels = space.parameters.keys() | {slot.label for slot in space.slots()}
        removed = sorted(names - labels)
        return [
            *([f"{_listed_names(self.drawn)} not in all of them and drawn at random"] if self.drawn else []),
            *([f"{_listed_names(self.given)} not in all of them and given"] if self.given else []),
            *(f"{name} moved to the nearest step in {count}" for name, count in self.moved.items()),
            *(f"{name} moved to the end of its range in {count}" for name, count in self.clamped.items()),
            *([f"{_listed_names(removed)} not in this space and left out"] if removed else []),
        ]


def _listed_names(names: Collection[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


def translated(
    values: Mapping[str, Any], space: SearchSpace, how: WarmStart, rng: np.random.Generator
) -> tuple[Config, Changes]:
    """Return a configuration of the space that stands for an earlier one.

    Parameters that the space does not have are left out. A number between the steps of its range becomes the nearest
    one. Values of inactive parameters do not count.

    Args:
        values: The values of the earlier configuration by label. They may be texts, as in a CSV file.
        space: The space.
        how: The way in which the results are taken.
        rng: The generator that draws the values which are neither there nor given.

    Raises:
        LeftOut: A value lies outside of the space.
    """
    changes = Changes()

    def choose(slot: Slot) -> Any:
        if (value := values.get(slot.label, _MISSING)) is not _MISSING:
            return _fitted(slot.name, slot.parameter, value, how, changes)
        if slot.parameter.size == 1:
            return (slot.parameter.grid() or ())[0]
        given = how.values.get(slot.label, how.values.get(slot.name, _MISSING))
        if given is not _MISSING:
            changes.given[slot.name] = 1
            return _fitted(slot.name, slot.parameter, given, how, changes)
        changes.drawn[slot.name] = 1
        return slot.parameter.sample(rng)

    return space.assemble(choose), changes


def _fitted(name: str, parameter: Parameter, value: Any, how: WarmStart, changes: Changes) -> Any:
    """Return the value of a parameter that stands for an earlier value.

    Raises:
        LeftOut: There is none.
    """
    if not isinstance(parameter, Int | Float):
        return _listed(name, parameter, value)
    number = _number(value)
    if number is None:
        raise LeftOut(f"with {name} = {str(value)[:40]}, which is no number")
    low, high = parameter.lower, parameter.upper
    # The end of a range may come back from a text with a rounding of the last digit.
    if not low <= number <= high and not (_is_close(number, low) or _is_close(number, high)):
        if how.outside == "drop" or not math.isfinite(number):
            raise LeftOut(f"outside {name}'s range")
        changes.clamped[name] = 1
    number = min(max(number, low), high)
    fitted = _on_steps(parameter, number)
    if not _is_close(float(fitted), number):
        changes.moved[name] = 1
    return fitted


def _is_close(left: float, right: float) -> bool:
    return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-15)


def _on_steps(parameter: Int | Float, number: float) -> Any:
    """Return the value of a range that is nearest to a number within it."""
    if parameter.problem_with(number) is None:
        return number
    if isinstance(parameter, Int) and parameter.step is None:
        return round(number)
    grid = parameter.grid()
    if grid is None:
        return float(number)
    if parameter.step is None:
        return grid[0]
    index = round(steps_between(parameter.lower, number, parameter.step, parameter.log))
    return grid[min(max(index, 0), len(grid) - 1)]


def _number(value: Any) -> float | None:
    """Return a value as a number, also if it is a text; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _listed(name: str, parameter: Parameter, value: Any) -> Any:
    """Return the listed value that is an earlier one, or whose text an earlier one is.

    Raises:
        LeftOut: There is none.
    """
    grid = parameter.grid() or ()
    index = parameter.index_of(value)
    if index is not None:
        return grid[index]
    if isinstance(value, str):
        for listed in grid:
            if value in _texts(listed) or (isinstance(parameter, Boolean) and value.lower() == str(listed).lower()):
                return listed
        number = _number(value)
        for listed in grid:
            if number is not None and identity(listed) == identity(number):
                return listed
        if isinstance(parameter, Boolean) and number in (0, 1):
            return bool(number)
    raise LeftOut(f"outside {name}'s values")


def _texts(value: Any) -> set[str]:
    # A spreadsheet must not take a text for a formula, so our own tables put an apostrophe before some.
    texts = {value, f"'{value}"} if isinstance(value, str) else {str(value)}
    return {*texts, json.dumps(value, ensure_ascii=False)}
