"""The hyperparameters of KerasTuner by their kinds, and their form in its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tune_jobs.keras_tuner.define_by_run.choices import Boolean, Choice, Fixed
from tune_jobs.keras_tuner.define_by_run.parameter import HyperParameter, Parent, plain
from tune_jobs.keras_tuner.define_by_run.ranges import Float, Int, ten_values

__all__ = [
    "KINDS",
    "Boolean",
    "Choice",
    "Fixed",
    "Float",
    "HyperParameter",
    "Int",
    "Parent",
    "from_config",
    "plain",
    "ten_values",
]

KINDS: dict[str, type[HyperParameter]] = {kind.__name__: kind for kind in (Int, Float, Choice, Boolean, Fixed)}
"""The kinds of hyperparameters by name."""


def from_config(config: Mapping[str, Any]) -> HyperParameter:
    """Return the hyperparameter that KerasTuner wrote down.

    Args:
        config: ``{"class_name": "Int", "config": {…}}``.

    Raises:
        ValueError: It is of an unknown kind.
    """
    kind = KINDS.get(config["class_name"])
    if kind is None:
        raise ValueError(f"There is no hyperparameter of the kind {config['class_name']!r}.")
    arguments = dict(config["config"])
    conditions = [
        Parent(condition["config"]["name"], tuple(condition["config"]["values"]))
        for condition in arguments.pop("conditions", None) or []
    ]
    return kind(**arguments, conditions=conditions)
