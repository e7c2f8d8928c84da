"""Checks of a training: its objective, and the checkpoint that it continues from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainables.settings import InvalidTrainable, TrialSettings
from trainables.storage.checkpoint import CheckpointError


def check_objective(settings: TrialSettings, metrics: Mapping[str, float], *, validated: bool) -> None:
    """Check that an epoch reports the objective, and whatever else objectives and constraints name.

    Args:
        settings: The settings of the run.
        metrics: The metrics of the epoch.
        validated: Whether there is a validation split.

    Raises:
        InvalidTrainable: It does not.
    """
    metric = settings.metric
    missing = [] if metric is None or metric in metrics else [f"The objective `{metric}` is"]
    lacking = [name for name in settings.needed if name not in metrics]
    missing += [f"`{name}`, which an objective or a constraint names, is" for name in lacking]
    if not missing:
        return
    remedy = "" if validated else " The data has no validation split, so no `val_…` metric exists."
    raise InvalidTrainable(
        f"{'; '.join(missing)} not among the metrics that the model reports "
        f"({', '.join(sorted(metrics))}): choose one of them, or add it to model.compile(metrics=[…])."
        f"{remedy}"
    )


def check_shapes(variables: Any, values: list[np.ndarray], what: str) -> None:
    """Check that variables have the shapes of their values in a checkpoint.

    Args:
        variables: The variables.
        values: Their values.
        what: The name of the variables, in the plural.

    Raises:
        CheckpointError: They have others.
    """
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in values]:
        raise CheckpointError(f"The checkpoint does not fit: the {what} have other shapes.")
