"""Checks of a training: its objective, and the checkpoint that it continues from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.settings import InvalidTrainable, TrialSettings
from trainables.storage.checkpoint import CheckpointError, Snapshot
from trainables.training import example
from trainables.training.state.model_state import further_variables

_GROUPS = {
    "model": "variables of the model",
    "optimizer": "variables of the optimizer",
    "further": "variables of further optimizers, metrics or generators",
    "adjusted": "rates that are adjusted",
}


def check_objective(
    settings: TrialSettings, metrics: Mapping[str, float], others: Mapping[str, str], *, validated: bool
) -> None:
    """Check that an epoch reports the objective, and whatever else objectives and constraints name.

    Args:
        settings: The settings of the run.
        metrics: The metrics of the epoch.
        others: What else was reported, and is no number: its kind in words, by name.
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
    if arrays := [name for name in dict.fromkeys((metric, *settings.needed)) if name is not None and name in others]:
        told = "; ".join(f"`{name}` is {others[name]}" for name in arrays)
        raise InvalidTrainable(
            f"{told}, but an objective or a constraint must be one number: let the metric average, as "
            'F1Score(average="macro") does, or report a metric for each class.'
        )
    remedy = "" if validated else " The data has no validation split, so no `val_…` metric exists."
    raise InvalidTrainable(
        f"{'; '.join(missing)} not among the metrics that the model reports "
        f"({', '.join(sorted(metrics))}): choose one of them, or add it to model.compile(metrics=[…])."
        f"{remedy} A callback that has a value in some epochs only reports float('nan') in the others."
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


def variables_for(
    model: Any, one_example: Any, snapshot: Snapshot, adjusted: Sequence[Any], callbacks: Sequence[Any] = ()
) -> list[tuple[Any, np.ndarray]]:
    """Return every variable of a training with its value in a snapshot.

    Args:
        model: A compiled ``keras.Model``.
        one_example: An example of what it is trained on.
        snapshot: The snapshot.
        adjusted: The variables of rates that are adjusted.
        callbacks: The callbacks of the training.

    Raises:
        CheckpointError: The model has other variables than the snapshot.
    """
    paths = snapshot.state.get("further", [])
    if len(model.variables) < len(snapshot.group("model")) or not set(paths) <= set(
        further_variables(model, callbacks)
    ):
        example.step_without_effect(model, one_example)  # some came into being in a step
    further = further_variables(model, callbacks)
    if not set(paths) <= set(further):
        raise CheckpointError("The checkpoint does not fit: the model had other optimizers, metrics or generators.")
    groups = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "further": [further[path] for path in paths],
        "adjusted": adjusted,
    }
    for name, variables in groups.items():
        check_shapes(variables, snapshot.group(name), _GROUPS[name])
    return [pair for name, variables in groups.items() for pair in zip(variables, snapshot.group(name), strict=True)]
