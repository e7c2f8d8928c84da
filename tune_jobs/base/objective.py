"""The objective of an experiment: a metric, which of two of its values is better, and the constraints on it.

This module and ``trainables.settings`` are the only ones that tell "max" from "min": all others ask them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeVar, get_args

from search_spaces.checked import Checked
from search_spaces.messages import short_repr
from trainables.constraints.constraint import Constraint, broken_words, total_violation
from trainables.settings import Mode

_Candidate = TypeVar("_Candidate")
_MODES: tuple[Mode, ...] = get_args(Mode)

PENALTY: Final = 1e100
"""The least loss of a result that breaks a constraint: greater than the loss of any result that keeps all."""


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

    constraints: ClassVar[tuple[Constraint, ...]] = ()

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

    def violation(self, metrics: Mapping[str, float]) -> float:  # noqa: ARG002 - there is no constraint
        """Return how far the metrics of an epoch are from keeping the constraints: 0 without constraints."""
        return 0.0

    def judged_loss(self, metrics: Mapping[str, float]) -> float:
        """Return the loss by which searchers and schedulers judge an epoch.

        Args:
            metrics: The metrics of the epoch, which has a finite objective.
        """
        value = metrics[self.metric]
        return -value if self.mode == "max" else value  # as ``loss``: it is called at every report

    def broken_words(self, metrics: Mapping[str, float]) -> str:  # noqa: ARG002 - there is no constraint
        """Return which constraints the metrics of an epoch break: "" if they keep all."""
        return ""

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


@dataclass(frozen=True, eq=False)
class ConstrainedObjective(Objective):
    """An objective that a result counts for only if it keeps constraints.

    Of two results, the one that breaks the constraints less is better; of two that keep all, the one with the better
    objective (Deb 2000, "An efficient constraint handling method for genetic algorithms").

    Attributes:
        constraints: The constraints, on metrics that an epoch reports.
    """

    constraints: tuple[Constraint, ...] = ()  # type: ignore[misc]  # here each has its own

    def violation(self, metrics: Mapping[str, float]) -> float:
        """Return how far the metrics of an epoch are from keeping the constraints: 0 if they keep all."""
        return total_violation(self.constraints, metrics)

    def judged_loss(self, metrics: Mapping[str, float]) -> float:
        """Return the loss of an epoch; at least ``PENALTY``, and the more the farther, if it breaks a constraint."""
        violation = self.violation(metrics)
        return PENALTY * (1 + violation / (1 + violation)) if violation else self.loss(metrics[self.metric])

    def broken_words(self, metrics: Mapping[str, float]) -> str:
        """Return which constraints the metrics of an epoch break: "" if they keep all."""
        return broken_words(self.constraints, metrics)


def losses_of(metrics: Mapping[str, float], loss: float, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Return the losses of an epoch in several objectives.

    Args:
        metrics: The metrics of the epoch.
        loss: The judged loss in the first objective.
        objectives: The objectives.

    Returns:
        A loss for each objective; ``loss`` for each if the epoch breaks a constraint, or has another one that is NaN.
    """
    further = [objective.loss(metrics.get(objective.metric, math.nan)) for objective in objectives[1:]]
    is_sound = loss < PENALTY and all(map(math.isfinite, further))
    return (loss, *further) if is_sound else (max(loss, PENALTY),) * len(objectives)


def direction(mode: Mode) -> str:
    """Return what a mode means, in words."""
    return "more is better" if mode == "max" else "less is better"
