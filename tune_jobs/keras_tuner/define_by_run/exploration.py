"""Runs of the code that asks for hyperparameters, with chosen values: what each run asked for."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.json_values import identity
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter, plain

Ask = Callable[[HyperParameters], object]
"""Code that asks for hyperparameters: ``build_model``, say."""

Values = Mapping[Hashable, Any]
"""Values by the keys of their hyperparameters. All others have their defaults."""


@dataclass(frozen=True)
class Exploration:
    """One run of the code.

    Attributes:
        asked: The active hyperparameters by key, in the order in which they were asked for.
        values: The value that each of them had.
        error: The error with which the run ended; None: it came to its end.
    """

    asked: Mapping[Hashable, HyperParameter]
    values: Values
    error: Exception | None = None

    @property
    def signature(self) -> Hashable:
        """A value that two runs share if they asked for the same hyperparameters, and ended alike."""
        return frozenset(self.asked), self.error is None


class Explorer:
    """Runs the code, each set of values once.

    Args:
        ask: The code.
        overrides: Hyperparameters that stand in for those that the code declares.
        limit_s: The seconds after which no more runs are begun.
        only_overrides: Whether all other hyperparameters keep their defaults.

    Attributes:
        runs: All runs so far.
        is_complete: False if time has run out.
    """

    def __init__(
        self,
        ask: Ask,
        overrides: Iterable[HyperParameter] = (),
        limit_s: float = 30.0,
        *,
        only_overrides: bool = False,
    ) -> None:
        self.runs: list[Exploration] = []
        self.is_complete = True
        self._ask = ask
        self._overrides = list(overrides)
        self._only_overrides = only_overrides
        self._done: dict[Hashable, Exploration] = {}
        self._ends_at_s = time.monotonic() + limit_s

    def run(self, values: Values) -> Exploration | None:
        """Return the run with some values; None if there is no time for it.

        Raises:
            ValueError: One name was declared with two ranges.
        """
        marker = frozenset((key, identity(plain(value))) for key, value in values.items())
        if marker in self._done:
            return self._done[marker]
        if self.runs and time.monotonic() > self._ends_at_s:
            self.is_complete = False
            return None
        found = self._explore(values)
        self._done[marker] = found
        self.runs.append(found)
        return found

    def variations(self, base: Exploration, key: Hashable) -> dict[Hashable, tuple[Any, Exploration]]:
        """Return runs that differ from a base in one value only, by the identity of that value.

        All values of a choice are tried. Of a range, the ends and one between are, and as many more as are needed to
        find each value from which on other hyperparameters are asked for.
        """
        declared = base.asked[key]
        tried: dict[int, Exploration] = {}
        grid = values_to_try(declared)

        def attempt(index: int) -> Exploration | None:
            if index not in tried:
                found = self.run({**base.values, key: grid[index]})
                if found is None:
                    return None
                tried[index] = found
            return tried[index]

        is_ordered = declared.KIND in ("Int", "Float")
        last = len(grid) - 1
        known = declared.parameter.index_of(plain(base.values[key]))
        if known is not None and declared.parameter.grid() is not None:
            tried[known] = base
        for index in {0, last // 2, last} if is_ordered else range(last + 1):
            attempt(index)
        pending = list(itertools.pairwise(sorted(tried)))
        while pending:
            low, high = pending.pop()
            if high - low > 1 and tried[low].signature != tried[high].signature:
                middle = (low + high) // 2
                if attempt(middle) is not None:
                    pending += [(low, middle), (middle, high)]
        return _filled(grid, tried) if is_ordered else _by_identity(grid, tried)

    def _explore(self, values: Values) -> Exploration:
        given: dict[Hashable, Any] = {}

        def choose(declared: HyperParameter) -> Any:
            value = declared.original(values[declared.key]) if declared.key in values else declared.default
            given[declared.key] = value
            return value

        hp = HyperParameters.choosing(choose, self._overrides, only_overrides=self._only_overrides)
        error: Exception | None = None
        try:
            self._ask(hp)
        except Exception as raised:  # noqa: BLE001 - a configuration may be one that cannot be built
            error = raised
        asked = {declared.key: declared for declared in hp.asked.values()}
        return Exploration(asked, {key: value for key, value in given.items() if key in asked}, error)


def values_to_try(declared: HyperParameter) -> list[Any]:
    """Return all values of a hyperparameter; of a continuum, its ends and the middle."""
    grid = declared.parameter.grid()
    if grid is not None:
        return _Lazy(grid) if len(grid) > 10_000 else [declared.original(value) for value in grid]  # type: ignore[return-value]
    lower, upper = declared.parameter.lower, declared.parameter.upper  # type: ignore[attr-defined]
    return [float(lower), (lower * upper) ** 0.5 if lower > 0 else (lower + upper) / 2, float(upper)]


class _Lazy:
    """The values of a grid that is too long for a list."""

    def __init__(self, grid: Any) -> None:
        self._grid = grid

    def __len__(self) -> int:
        return len(self._grid)

    def __getitem__(self, index: int) -> Any:
        return self._grid[index]


def _by_identity(grid: Any, tried: Mapping[int, Exploration]) -> dict[Hashable, tuple[Any, Exploration]]:
    return {identity(plain(grid[index])): (grid[index], run) for index, run in sorted(tried.items())}


def _filled(grid: Any, tried: Mapping[int, Exploration]) -> dict[Hashable, tuple[Any, Exploration]]:
    """Return a run for every value of a range: between two that asked alike, all do."""
    runs: dict[Hashable, tuple[Any, Exploration]] = {}
    nearest: Exploration | None = None
    for index in range(len(grid)) if len(grid) <= 10_000 else sorted(tried):
        nearest = tried.get(index, nearest)
        if nearest is not None:
            runs[identity(plain(grid[index]))] = (grid[index], nearest)
    return runs
