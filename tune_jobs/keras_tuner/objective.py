"""The objective of a search: a metric and its direction, which its name implies, or a list of such objectives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from search_spaces import InvalidDeclaration
from trainables.settings import Mode
from tune_jobs.base.objective import Objective as MetricObjective

_MORE_IS_BETTER = (
    "accuracy",
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "f1_score",
    "fbeta_score",
    "r2",
    "r2_score",
    "iou",
    "io_u",
    "cosine_similarity",
    "pearson_correlation",
    "concordance_correlation",
    "correlation",
    "true_positives",
    "true_negatives",
    "precision_at_recall",
    "recall_at_precision",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "dice",
    "jaccard",
    "psnr",
    "ssim",
    "score",
)
_LESS_IS_BETTER = (
    "loss",
    "error",
    "mse",
    "mae",
    "mape",
    "msle",
    "rmse",
    "crossentropy",
    "entropy",
    "hinge",
    "kl_divergence",
    "kullback_leibler_divergence",
    "divergence",
    "poisson",
    "logcosh",
    "log_cosh",
    "perplexity",
    "false_positives",
    "false_negatives",
    "deviance",
)

MULTI_OBJECTIVE = "multi_objective"
"""The name of the metric that adds up the objectives of a list."""

DEFAULT_OBJECTIVE = "default_objective"
"""The name of the metric of a search without an objective: the number that ``run_trial`` or ``fit`` returns."""


class Objective:
    """A metric to optimise, and its direction.

    Attributes:
        name: The name of the metric.
        direction: "max" or "min".

    Raises:
        ValueError: The direction is neither "max" nor "min".

    Example:
        >>> import tune_jobs.keras_tuner as kt
        >>> print(kt.Objective("val_f1_score", "max"))
        Objective(name="val_f1_score", direction="max")
    """

    def __init__(self, name: str, direction: Mode) -> None:
        try:
            self._objective = MetricObjective(name, direction)
        except InvalidDeclaration as error:
            text = str(error).replace("`metric`", "`name`").replace("`mode`", "`direction`")
            raise ValueError(f"Objective({name!r}, {direction!r}): {text}") from error
        self.name = name
        self.direction: Mode = direction

    @property
    def metric_objective(self) -> MetricObjective:
        """The objective as experiments have it."""
        return self._objective

    def has_value(self, logs: Mapping[str, float]) -> bool:
        """Return whether the metrics of an epoch have a value of the objective.

        Args:
            logs: The metrics by name.
        """
        return self.name in logs

    def get_value(self, logs: Mapping[str, float]) -> float:
        """Return the value of the objective.

        Args:
            logs: The metrics by name.
        """
        return logs[self.name]

    def better_than(self, a: float, b: float) -> bool:
        """Return whether a value is better than another one.

        Args:
            a: A value.
            b: The other value.
        """
        return self._objective.is_better(a, b)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objective) and (self.name, self.direction) == (other.name, other.direction)

    def __hash__(self) -> int:
        return hash((self.name, self.direction))

    def __str__(self) -> str:
        return f'Objective(name="{self.name}", direction="{self.direction}")'

    __repr__ = __str__


class MultiObjective(Objective):
    """The sum of several objectives, where less is better: those of which more is better count negatively.

    Attributes:
        objectives: The objectives.
    """

    def __init__(self, objectives: list[Objective]) -> None:
        super().__init__(MULTI_OBJECTIVE, "min")
        self.objectives = objectives

    def has_value(self, logs: Mapping[str, float]) -> bool:
        """Return whether the metrics of an epoch have a value of each objective."""
        return all(one.has_value(logs) for one in self.objectives)

    def get_value(self, logs: Mapping[str, float]) -> float:
        """Return the sum."""
        return sum(one.metric_objective.loss(one.get_value(logs)) for one in self.objectives)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MultiObjective) and set(self.objectives) == set(other.objectives)

    __hash__ = Objective.__hash__

    def __str__(self) -> str:
        return f"Multi{super().__str__()}: [{', '.join(map(str, self.objectives))}]"

    __repr__ = __str__


def create_objective(objective: Any) -> Objective:
    """Return an objective from its name, from an ``Objective``, from a list of these, or from nothing.

    Args:
        objective: None means the number that ``run_trial`` or ``fit`` returns; less is better.

    Raises:
        ValueError: The name does not tell the direction.
        TypeError: It is something else.
    """
    if objective is None:
        return Objective(DEFAULT_OBJECTIVE, "min")
    if isinstance(objective, Objective):
        return objective
    if isinstance(objective, list | tuple) and objective:
        return MultiObjective([create_objective(one) for one in objective])
    if not isinstance(objective, str):
        raise TypeError(
            f"The value of `objective` is {objective!r}, but must be the name of a metric ('val_accuracy'), a "
            "kt.Objective, or a list of these."
        )
    direction = implied_direction(objective)
    if direction is None:
        raise ValueError(
            f"The name {objective!r} does not tell whether more of it is better: write "
            f'kt.Objective({objective!r}, direction="max"), or "min".'
        )
    return Objective(objective, direction)


def implied_direction(metric: str) -> Mode | None:
    """Return the direction that the name of a metric implies; None if it implies none.

    The longest known ending decides: ``val_head_false_positives`` ends with ``false_positives``, of which less is
    better.

    Args:
        metric: The name, also with ``val_`` and the name of an output before it, or with a number behind it.
    """
    name = re.sub(r"_\d+$", "", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", metric).lower())
    endings: dict[str, Mode] = {**dict.fromkeys(_MORE_IS_BETTER, "max"), **dict.fromkeys(_LESS_IS_BETTER, "min")}
    known = [ending for ending in endings if name == ending or name.endswith(f"_{ending}")]
    return endings[max(known, key=len)] if known else None
