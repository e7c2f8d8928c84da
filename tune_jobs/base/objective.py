"""The objective of an experiment: a metric, and which of two of its values is better.

This module and ``trainables.settings`` are the only ones that tell "max" from "min": all others ask them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from search_spaces.checked import Checked
from search_spaces.messages import short_repr
from trainables.settings import Mode

_Candidate = TypeVar("_Candidate")
_MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True)
class Objective(Checked):
    """A metric to optimise, and its direction.

    Attributes:
        metric: A metric that the model reports at every epoch, by Keras's name: ``val_accuracy``.
        mode: "max" if the highest value is best, "min" if the lowest one is.

    Raises:
        InvalidDeclaration: The metric is no name, or the mode is neither "max" nor "min".

    Example:
        >>> from tune_jobs import Objective
        >>> accuracy, loss = Objective("val_accuracy", "max"), Objective("val_loss", "min")
        >>> accuracy.is_better(0.9, 0.8), loss.is_better(0.9, 0.8)
        (True, False)
        >>> Objective("val_loss", "smallest")
        Traceback (most recent call last):
        search_spaces.checked.InvalidDeclaration: The value of `mode` is 'smallest', but must be 'max' or 'min'.
    """

    metric: str
    mode: Mode

    def problems(self) -> list[str]:
        """Return all that is wrong with the objective, a sentence each."""
        problems = []
        if not isinstance(self.metric, str) or not self.metric:
            problems.append(
                f"The value of `metric` is {short_repr(self.metric)}, but must be the name of a metric, such as "
                "'val_accuracy'."
            )
        if not isinstance(self.mode, str) or self.mode not in _MODES:
            problems.append(f"The value of `mode` is {short_repr(self.mode)}, but must be 'max' or 'min'.")
        return problems

    def to_json(self) -> dict[str, Any]:
        """Return the arguments that make the objective again."""
        return {"metric": self.metric, "mode": self.mode}

    def loss(self, value: float) -> float:
        """Return a value of the metric as a loss: less is better."""
        return -value if self.mode == "max" else value

    def is_better(self, value: float, other: float) -> bool:
        """Return whether a value of the metric is better than another one. NaN is never better, and never beaten."""
        return self.loss(value) < self.loss(other)

    def gain(self, value: float, before: float) -> float:
        """Return how much better a value is than an earlier one; it is negative where the value is worse."""
        return -self.loss(value - before)

    def best(self, candidates: Iterable[_Candidate], value: Callable[[_Candidate], float]) -> _Candidate | None:
        """Return the candidate with the best value, the first of equals; None if there is no candidate.

        Args:
            candidates: The candidates.
            value: Returns the metric's value of a candidate.
        """
        # The built-in functions compare the values themselves: a journal has hundreds of thousands of them.
        return (max if self.mode == "max" else min)(candidates, key=value, default=None)


def direction(mode: Mode) -> str:
    """Return what a mode means, in words."""
    return "more is better" if mode == "max" else "less is better"
