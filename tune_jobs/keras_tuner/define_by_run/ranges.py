"""The hyperparameters with a range of numbers, Int and Float."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

import search_spaces
from search_spaces import InvalidDeclaration, Parameter
from search_spaces.parameters.grids import float_uppers_that_fit, int_uppers_that_fit, value_after
from tune_jobs.keras_tuner.define_by_run.parameter import HyperParameter, Parent

_SAMPLINGS = ("linear", "log", "reverse_log")


class _Numerical(HyperParameter):
    """A range of numbers."""

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: Any = None,
        conditions: Sequence[Parent] = (),
    ) -> None:
        super().__init__(name, default, conditions)
        self.min_value, self.max_value, self.step = min_value, max_value, step
        self.sampling = str(sampling or "linear").lower()
        problems = self._problems()
        if not problems:
            try:
                self.parameter = self._parameter()
            except InvalidDeclaration as error:
                problems = list(error.problems)
        if not problems and default is not None and not self.can_have(default):
            problems = [f"The value of `default` is {default!r}, but must be {self.parameter.rule()}."]
        if problems:
            raise ValueError(f"hp.{type(self).__name__}({name!r}): {' '.join(problems)}")

    def _problems(self) -> list[str]:
        if self.sampling not in _SAMPLINGS:
            return [f"The value of `sampling` is {self.sampling!r}, but must be 'linear', 'log' or 'reverse_log'."]
        if self.min_value > self.max_value:
            return [f"The value of `min_value` is {self.min_value!r}, but must be <= `max_value` ({self.max_value!r})."]
        if self.sampling != "linear" and self.min_value <= 0:
            return [f"The value of `min_value` is {self.min_value!r}, but must be > 0 with sampling={self.sampling!r}."]
        smallest: float = 0 if self.sampling == "linear" else 1
        if self.step is not None and self.step <= smallest:
            return [f"The value of `step` is {self.step!r}, but must be > {smallest} with sampling={self.sampling!r}."]
        return []

    @abstractmethod
    def _parameter(self) -> Parameter:
        """Return the parameter of a search space with these values."""

    @property
    def values(self) -> list[Any]:
        """All values of a stepped range; ten values, the ends among them, of one without steps."""
        grid = self.parameter.grid()
        return list(grid) if grid is not None else ten_values(self.min_value, self.max_value, self.sampling)

    def _arguments(self) -> dict[str, Any]:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "step": self.step,
            "sampling": self.sampling,
        }


class Int(_Numerical):
    """A whole number from ``min_value`` to ``max_value``, both included where the steps reach it."""

    KIND = "Int"

    def __init__(self, name: str, min_value: int, max_value: int, step: int | None = None, **others: Any) -> None:
        numbers = {"min_value": min_value, "max_value": max_value, "step": step}
        for label, value in numbers.items():
            if label == "step" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or int(value) != value:
                raise ValueError(
                    f"hp.Int({name!r}): The value of `{label}` is {value!r}, but must be a whole number: use hp.Float."
                )
        step = None if step is None else int(step)
        if step is None and str(others.get("sampling") or "linear").lower() == "linear":
            step = 1
        default = others.pop("default", None)
        super().__init__(
            name, int(min_value), int(max_value), step, default=default if default is None else int(default), **others
        )

    def _parameter(self) -> Parameter:
        lower, upper, step = int(self.min_value), int(self.max_value), self.step and int(self.step)
        log = self.sampling == "log"
        if self.sampling == "reverse_log" and step:
            return search_spaces.Choice(*(int(value) for value in _mirrored(lower, upper, step)))
        if not step or (step == 1 and not log):
            return search_spaces.Int(lower, upper, log=log)
        fitting = int_uppers_that_fit(lower, upper, step, log)
        return search_spaces.Int(lower, upper if fitting is None else fitting[0], step=step, log=log)

    @property
    def default(self) -> int:
        """The value of the first build."""
        return int(self.min_value) if self._default is None else int(self._default)

    def get_config(self) -> dict[str, Any]:
        """Return the declaration in KerasTuner's form, which tells a default only if it was given."""
        return {**super().get_config(), "default": self._default}

    def __repr__(self) -> str:
        return (
            f"Int(name: '{self.name}', min_value: {self.min_value}, max_value: {self.max_value}, step: {self.step}, "
            f"sampling: {self.sampling}, default: {self.default})"
        )


class Float(_Numerical):
    """A number from ``min_value`` to ``max_value``, both included where the steps reach it."""

    KIND = "Float"

    def __init__(self, name: str, min_value: float, max_value: float, step: float | None = None, **others: Any) -> None:
        for label, value in {"min_value": min_value, "max_value": max_value, "step": step}.items():
            if label == "step" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float | np.number):
                raise ValueError(f"hp.Float({name!r}): The value of `{label}` is {value!r}, but must be a number.")
        super().__init__(name, float(min_value), float(max_value), None if step is None else float(step), **others)

    def _parameter(self) -> Parameter:
        lower, upper, step, log = self.min_value, self.max_value, self.step, self.sampling == "log"
        if step is None or lower == upper:
            return search_spaces.Float(lower, upper, log=log)
        if self.sampling == "reverse_log":
            return search_spaces.Choice(*_mirrored(lower, upper, step))
        fitting = float_uppers_that_fit(lower, upper, step, log)
        last = upper if fitting is None else fitting[0]
        return search_spaces.Float(lower, last, step=step, log=log) if last > lower else search_spaces.Fixed(lower)

    @property
    def default(self) -> float:
        """The value of the first build."""
        return float(self.min_value if self._default is None else self._default)

    def original(self, value: Any) -> Any:
        """Return the value as a float: JSON may have written a whole number."""
        return float(value)

    def __repr__(self) -> str:
        return (
            f"Float(name: '{self.name}', min_value: '{self.min_value}', max_value: '{self.max_value}', "
            f"step: '{self.step}', sampling: '{self.sampling}', default: '{self.default}')"
        )


def ten_values(lower: float, upper: float, sampling: str) -> list[float]:
    """Return ten values of a range, its ends among them, in order and in equal steps or factors."""
    if lower == upper:
        return [lower]
    parts = [index / 9 for index in range(10)]
    if sampling == "linear":
        inner = [lower + part * (upper - lower) for part in parts]
    else:
        inner = [lower * (upper / lower) ** part for part in parts]
        if sampling == "reverse_log":
            inner = [upper + lower - value for value in reversed(inner)]
    return [lower, *inner[1:-1], upper]


def _mirrored(lower: float, upper: float, factor: float) -> list[float]:
    """Return ``upper + lower - lower * factor ** k``, ascending: most values lie near the upper end."""
    values = []
    power: float = lower
    steps = 0
    while power <= upper * (1 + 1e-9):
        values.append(upper + lower - power)
        steps += 1
        power = value_after(steps, lower, factor, log=True)
    return values[::-1]
