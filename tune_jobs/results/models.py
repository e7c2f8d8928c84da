"""The trained model of a trial, from the trial's folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.storage.file_format import NewerFormatError
from trainables.storage.layout import ARCHITECTURE_FILE
from trainables.tensorflow_log import quiet_tensorflow
from tune_jobs.base.objective import Objective
from tune_jobs.base.plain_text import plain_text
from tune_jobs.base.user_code import user_code
from tune_jobs.errors import RequestError
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.layout import trial_folder

if TYPE_CHECKING:
    import keras
    import numpy as np

    from trainables import KerasTrainable
    from trainables.storage.checkpoint import Snapshot


def load_model(
    run_folder: Path,
    trial: TrialHistory,
    objective: Objective,
    trainable: type[KerasTrainable] | None,
    fraction: float = 1.0,
) -> keras.Model:
    """Return the model of a trial with the weights of its best epoch.

    Args:
        run_folder: The run's folder.
        trial: The history of the trial.
        objective: The objective, which decides about the best epoch.
        trainable: The class that builds the model if Keras cannot describe it; None: Keras can.
        fraction: The part of the data that the run was trained on.

    Raises:
        RequestError: There is no checkpoint with weights, or the model has to be built by its trainable.
    """
    quiet_tensorflow()
    weights = best_weights(run_folder, trial.trial)
    best = trial.best(objective)
    if best is not None and weights.epoch != best.epoch:
        warnings.warn(
            f"The leaderboard has epoch {best.epoch} of trial {trial.trial}, but these weights are of epoch "
            f"{weights.epoch}: the trial was interrupted, or its worker died, between two checkpoints.",
            stacklevel=3,
        )
    model = _build(trial_folder(run_folder, trial.trial), trial, trainable, fraction, weights)
    try:
        weights.load_into(model)
    except ValueError as error:
        raise RequestError(
            f"The weights of trial {trial.trial} do not fit its model ({plain_text(str(error))}): the checkpoint or "
            "the description of the model is damaged. Restore the run from a copy."
        ) from error
    return model


@dataclass(frozen=True)
class Weights:
    """The weights of a trial's best epoch.

    Attributes:
        epoch: The epoch, from 1.
        arrays: The arguments for ``model.set_weights``.
        snapshot: The checkpoint that holds them, with the state of layers that were adapted.
    """

    epoch: int
    arrays: list[np.ndarray]
    snapshot: Snapshot

    def load_into(self, model: keras.Model, build: Callable[[keras.Model], object] | None = None) -> None:
        """Give a model these weights, and its layers the vocabularies that they had with them.

        Args:
            model: The model.
            build: Gives the model its variables, if it has none yet, when its layers have their vocabularies.

        Raises:
            ValueError: The model is another one.
        """
        from trainables.training.adapted_state import AdaptedState, finalize

        try:
            state = AdaptedState.of_snapshot(self.snapshot)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"the checkpoint's state of its layers is damaged: {error!r}") from error
        state.load_into(model)
        if build is not None and not model.built:
            build(model)
        model.set_weights(self.arrays)
        finalize(model)


def best_weights(run_folder: Path, trial: int) -> Weights:
    """Return the weights of the best epoch that a trial's newest checkpoint holds.

    Args:
        run_folder: The run's folder.
        trial: The number of the trial.

    Raises:
        RequestError: There is no checkpoint with weights, or it cannot be read.
    """
    from trainables.storage.checkpoint import CheckpointError, DiskCheckpoints

    folder = trial_folder(run_folder, trial)
    unreadable: list[CheckpointError] = []
    try:
        snapshot = DiskCheckpoints(folder).newest(unreadable.append)
    except NewerFormatError as error:
        raise RequestError(str(error)) from error
    if snapshot is not None:
        epoch, arrays = snapshot.state.get("best_epoch"), snapshot.group("best")
        if isinstance(epoch, int) and arrays:
            return Weights(epoch, arrays, snapshot)
        if arrays and epoch is not None:
            raise RequestError(f"The checkpoint in {folder} is damaged: its best_epoch is {epoch!r:.99}, no epoch.")
    elif unreadable:
        raise RequestError(plain_text(f"Trial {trial} has no weights that can be read. {unreadable[0]}"))
    raise RequestError(
        f"Trial {trial} has no weights in {folder}: it ended before its first checkpoint, or they were "
        "deleted, because a run keeps those of its best 10 trials, or as many as --keep (Experiment.keep) says. Begin "
        "a run with --keep all to keep those of every trial."
    )


def has_weights(run_folder: Path, trial: int) -> bool:
    """Return whether a trial has a checkpoint. Its content is not read."""
    from trainables.storage.checkpoint import DiskCheckpoints

    return bool(DiskCheckpoints(trial_folder(run_folder, trial)).names())


def _build(
    folder: Path, trial: TrialHistory, trainable: type[KerasTrainable] | None, fraction: float, weights: Weights
) -> keras.Model:
    if trainable is not None:
        from trainables.training.view import build_outside_of_a_run

        with user_code(f"{trainable.__name__}.build_model"):
            instance = trainable.standalone()
            config = dict(trial.config)
            return build_outside_of_a_run(
                instance, config, lambda: instance.prepare(instance.load_data().part(fraction), config)
            )
    description = folder / ARCHITECTURE_FILE
    if not description.is_file():
        raise RequestError(
            f"Keras cannot describe the model of trial {trial.trial}, so its trainable has to build it: "
            "call load_best_model(trainable=YourTrainable)."
        )
    from tune_jobs.results.architecture.build import build_described
    from tune_jobs.results.architecture.checks import DescriptionError

    try:
        return build_described(description, [array.shape for array in weights.arrays])
    except DescriptionError as error:
        raise RequestError(
            f"The model of trial {trial.trial} cannot be built from {description}. {error} If a part of it is of your "
            "own making, call load_best_model(trainable=YourTrainable)."
        ) from error
