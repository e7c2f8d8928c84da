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
    "to_config",
]

KINDS: dict[str, type[HyperParameter]] = {kind.__name__: kind for kind in (Int, Float, Choice, Boolean, Fixed)}
"""The kinds of hyperparameters by name."""


def to_config(parameter: HyperParameter) -> dict[str, Any]:
    """Return a hyperparameter as KerasTuner writes it down: ``{"class_name": "Int", "config": {…}}``.

    Args:
        parameter: The hyperparameter.
    """
    return {"class_name": type(parameter).__name__, "config": parameter.get_config()}


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
    return kind.from_config(config["config"])
