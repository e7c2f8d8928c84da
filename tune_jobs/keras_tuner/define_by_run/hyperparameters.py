"""The ``hp`` that a ``build_model(hp)`` asks for its values: it answers, and remembers what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from tune_jobs.keras_tuner.define_by_run.answers import Answers
from tune_jobs.keras_tuner.define_by_run.parameters import Boolean, Choice, Fixed, Float, Int


class HyperParameters(Answers):
    """The hyperparameters of one model: each method declares one, and returns its value.

    A hyperparameter keeps its value as long as the object lives. One that is met for the first time has its default.

    Attributes:
        space: The hyperparameters that were asked for, also those that are not active.
        values: The value of each active hyperparameter, by its name.

    Example:
        >>> import tune_jobs.keras_tuner as kt
        >>> hp = kt.HyperParameters()
        >>> hp.Int("units", 32, 128, step=32)
        32
        >>> hp.values["units"] = 96
        >>> hp.Int("units", 32, 128, step=32), hp.get("units")
        (96, 96)
    """

    def Int(  # noqa: N802 - KerasTuner's name, as all below
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return the value of a whole number of a range.

        Args:
            name: The name.
            min_value: The smallest value.
            max_value: The largest value; where steps do not reach it, the last step below it.
            step: The difference of neighbouring values or, with ``sampling="log"``, their ratio.
            sampling: "linear", "log" or "reverse_log".
            default: The value of the first build; None: the smallest.
            parent_name: The parent by whose value it is active; None: none.
            parent_values: The parent's values with which it is active.
        """
        with self._scope(parent_name, parent_values):
            return self._answer(
                Int(
                    self._full_name(name),
                    min_value,
                    max_value,
                    step,
                    sampling=sampling,
                    default=default,
                    conditions=self._conditions,
                )
            )

    def Float(  # noqa: N802
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return the value of a number of a range; see ``Int`` for the arguments."""
        with self._scope(parent_name, parent_values):
            return self._answer(
                Float(
                    self._full_name(name),
                    min_value,
                    max_value,
                    step,
                    sampling=sampling,
                    default=default,
                    conditions=self._conditions,
                )
            )

    def Choice(  # noqa: N802
        self,
        name: str,
        values: Sequence[Any],
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return one of the listed values.

        Args:
            name: The name.
            values: The values, of any types that JSON has; types may be mixed.
            ordered: True if the order of numbers means something; None: it does if all values are numbers.
            default: The value of the first build; None: the first value, or None if that is one of them.
            parent_name: The parent by whose value it is active; None: none.
            parent_values: The parent's values with which it is active.
        """
        with self._scope(parent_name, parent_values):
            return self._answer(Choice(self._full_name(name), values, ordered, default, self._conditions))

    def Boolean(  # noqa: N802
        self, name: str, default: bool = False, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return False or True; see ``Choice`` for the arguments."""
        with self._scope(parent_name, parent_values):
            return self._answer(Boolean(self._full_name(name), default, self._conditions))

    def Fixed(  # noqa: N802
        self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return the only value; see ``Choice`` for the arguments."""
        with self._scope(parent_name, parent_values):
            return self._answer(Fixed(self._full_name(name), value, conditions=self._conditions))

    def _scope(self, parent_name: str | None, parent_values: Any) -> Any:
        return nullcontext() if parent_name is None else self.conditional_scope(parent_name, parent_values)
