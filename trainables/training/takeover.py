"""A training that takes over the weights of another trial, and keeps the learning rate of its own configuration."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainables.report import Epoch
from trainables.storage.checkpoint import CheckpointError, Snapshot
from trainables.storage.origin import history_of
from trainables.storage.store import checkpoint_store


def take_over(training: Any, trials: str, donor: int, epoch: int) -> list[Epoch]:
    """Continue from a checkpoint of another trial.

    An optimizer holds its learning rate in a variable, beside its moments and its count of steps. The rate stays as
    this training's own configuration made it. A schedule of rates is no variable, and goes on at the step of the other
    trial.

    Args:
        training: A training that was just built, or several as ``Executions``.
        trials: The location of the folder of all trials.
        donor: The number of the other trial.
        epoch: The epoch of the checkpoint.

    Returns:
        The epochs of the other trial up to there.

    Raises:
        RuntimeError: The checkpoint is gone, or is that of a model with other weights.
    """

    def check(snapshot: Snapshot) -> None:
        if snapshot.epoch != epoch:
            raise CheckpointError("It is of another epoch.")

    snapshot = checkpoint_store(trials, donor).newest(check=check)
    if snapshot is None:
        raise RuntimeError(f"The weights of trial {donor} after epoch {epoch} are gone, and cannot be taken over.")
    trainings = getattr(training, "trainings", [training])
    rates = [(variable, np.array(variable)) for one in trainings for variable in _rates(one)]
    try:
        training.restore(snapshot)
    except CheckpointError as error:
        raise RuntimeError(
            f"The weights of trial {donor} do not fit the model of this configuration. {error} Let the scheduler "
            "change only parameters that leave the shapes of the weights as they are: name them in `parameters`."
        ) from error
    for variable, value in rates:
        variable.assign(value)
    return history_of(snapshot)


def _rates(training: Any) -> list[Any]:
    optimizer = getattr(training.model, "optimizer", None)
    learning_rates = [each for each in getattr(optimizer, "variables", ()) if each.name == "learning_rate"]
    return [*learning_rates, *getattr(training, "adjusted_variables", ())]
