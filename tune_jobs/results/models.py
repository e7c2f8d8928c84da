"""A trained model from a trial's folder."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from tune_jobs.errors import RequestError
from tune_jobs.results.history import TrialHistory

if TYPE_CHECKING:
    import keras

    from trainables import KerasTrainable


def load_model(folder: Path, trial: TrialHistory, trainable: type[KerasTrainable] | None) -> keras.Model:
    """The model of a trial with the weights of its best epoch.

    Args:
        folder: The trial's folder.
        trial: What came of it.
        trainable: Who builds the model where Keras cannot describe it.

    Raises:
        RequestError: There is no checkpoint with weights, or the model has to be built by its trainable.
    """
    from trainables import checkpoint

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    snapshot = checkpoint.newest(folder)
    if snapshot is None or not snapshot.group("best"):
        raise RequestError(f"Trial {trial.trial} left no weights in {folder}.")
    if trial.epochs and snapshot.state["epoch"] < max(trial.epochs):
        warnings.warn(
            f"The newest checkpoint of trial {trial.trial} is of epoch {snapshot.state['epoch']}, but it reported "
            f"{max(trial.epochs)}: the weights are of the best epoch until then, {snapshot.state['best_epoch']}.",
            stacklevel=3,
        )
    model = _build(folder, trial, trainable)
    model.set_weights(snapshot.group("best"))
    return model


def _build(folder: Path, trial: TrialHistory, trainable: type[KerasTrainable] | None) -> keras.Model:
    from trainables import checkpoint

    if trainable is not None:
        return trainable.standalone().build_model(dict(trial.config))
    description = folder / checkpoint.ARCHITECTURE_FILE
    if not description.is_file():
        raise RequestError(
            f"Keras cannot describe the model of trial {trial.trial}, so its trainable has to build it: "
            "call load_best_model(trainable=YourTrainable)."
        )
    import keras

    return keras.models.model_from_json(description.read_text(encoding="utf-8"))
