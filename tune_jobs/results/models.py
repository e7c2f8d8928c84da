"""The trained model of a trial, from the trial's folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.storage.file_format import NewerFormatError
from trainables.storage.layout import ARCHITECTURE_FILE
from trainables.tensorflow_log import quiet_tensorflow
from tune_jobs.base.objective import Objective
from tune_jobs.base.plain_text import plain_text
from tune_jobs.base.user_code import instance_of, user_code
from tune_jobs.base.words import first_sentences
from tune_jobs.errors import RequestError
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.layout import trial_folder

if TYPE_CHECKING:
    import keras
    import numpy as np

    from trainables import KerasTrainable
    from trainables.storage.checkpoint import Snapshot

_CHANGED = "undo what was changed in it."
_DAMAGED = "the checkpoint or the description of the model is damaged. Restore the run from a copy."


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
    if trainable is None:
        weights.load_into(model, f"its model, which {ARCHITECTURE_FILE} describes", remedy=_DAMAGED)
    else:
        name = f"the model that {trainable.__name__}.build_model makes now"
        weights.load_into(model, name, lambda: _example(instance_of(trainable), trial, model))
    return model


@dataclass(frozen=True)
class Weights:
    """The weights of a trial's best epoch.

    Attributes:
        trial: The number of the trial.
        epoch: The epoch, from 1.
        arrays: The arguments for ``model.set_weights``.
        snapshot: The checkpoint that holds them, with the state of layers that were adapted.
    """

    trial: int
    epoch: int
    arrays: list[np.ndarray]
    snapshot: Snapshot

    @property
    def example(self) -> Any:
        """An example of zeros like those that the model was trained on; None where the checkpoint describes none.

        Raises:
            RequestError: What the checkpoint describes is no example.
        """
        from trainables.training.example import example_of

        try:
            return example_of(self.snapshot)
        except Exception as error:  # a damaged description may have anything anywhere
            why = plain_text(first_sentences(error))
            raise RequestError(
                f"The checkpoint of trial {self.trial} is damaged: its example of the data cannot be made "
                f"({type(error).__name__}: {why})."
            ) from error

    def load_into(
        self, model: keras.Model, name: str, load_example: Callable[[], Any] | None = None, remedy: str = _CHANGED
    ) -> None:
        """Give a model these weights, and its layers the vocabularies that they had with them.

        A model that has no weights yet, or not all of them, gets them from an example as its checkpoint describes it.

        Args:
            model: The model.
            name: The name of the model, for messages.
            load_example: Returns an example that the model is trained on, for checkpoints that describe none.
            remedy: The remedy if they do not fit.

        Raises:
            RequestError: The model is another one, or cannot be called.
        """
        from trainables.training.adapted_state import AdaptedState, finalize
        from trainables.training.example import create_missing_weights

        try:
            try:
                state = AdaptedState.of_snapshot(self.snapshot)
            except (AttributeError, IndexError, KeyError, TypeError) as error:
                raise ValueError(f"the checkpoint's state of its layers is damaged: {error!r}") from error
            state.load_into(model)
            if not model.built or len(model.weights) < len(self.arrays):
                example = self.example
                if example is None and load_example is not None:
                    example = load_example()
                if example is not None:
                    create_missing_weights(model, example, len(self.arrays))
            model.set_weights(self.arrays)
            finalize(model)
        except RequestError:
            raise
        except Exception as error:  # of layers of the user's own
            why = plain_text(first_sentences(error))
            raise RequestError(f"The weights of trial {self.trial} do not fit {name} ({why}): {remedy}") from error


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
            return Weights(trial, epoch, arrays, snapshot)
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
            instance = instance_of(trainable)
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


def _example(instance: KerasTrainable, trial: TrialHistory, model: keras.Model) -> Any:
    """Return an example that a trial was trained on, from its data: older checkpoints describe none."""
    from trainables.reuse.input_cache import InputCache
    from trainables.training.model import prepared

    with user_code(f"{type(instance).__name__}.load_data"):
        data = prepared(instance, instance.load_data(), dict(trial.config))
        return InputCache(data).example(model, instance.batch_size)
