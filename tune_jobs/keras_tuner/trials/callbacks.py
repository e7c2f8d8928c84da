"""The callbacks of a trial: copies of the user's, and those that a search adds."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from trainables import InvalidTrainable
from tune_jobs.keras_tuner.objective import MultiObjective, Objective

_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end")


def copies(callbacks: Sequence[Any]) -> list[Any]:
    """Return copies of callbacks, so that no trial changes those of another.

    Raises:
        InvalidTrainable: One cannot be copied.
    """
    try:
        return copy.deepcopy(list(callbacks))
    except Exception as error:
        raise InvalidTrainable(
            f"The callbacks of search() cannot be copied ({type(error).__name__}: {error}), but each trial needs its "
            "own: keep what cannot be copied out of their attributes."
        ) from error


def added_metrics(objective: Objective) -> list[Any]:
    """Return callbacks that add metrics to those of the model: the sum of several objectives."""
    if not isinstance(objective, MultiObjective):
        return []
    import keras

    def add(epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG001 - Keras's signature
        if objective.has_value(logs):
            logs[objective.name] = objective.get_value(logs)

    return [keras.callbacks.LambdaCallback(on_epoch_end=add)]


def end_after(epochs: int) -> Any:
    """Return a callback that ends a trial after some epochs."""
    import keras

    class EndAfter(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """Ends a trial that is to have fewer epochs than others."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
            if epoch + 1 >= epochs:
                self.model.stop_training = True

    return EndAfter()


def hooks_of(tuner: Any, trial: Any) -> list[Any]:
    """Return a callback that calls the methods of a tuner that a subclass has overridden; none if there are none.

    Args:
        tuner: The tuner.
        trial: The trial that the methods get.
    """
    own = [name for name in _HOOKS if not _is_ours(getattr(type(tuner), name, None))]
    if not own:
        return []
    import keras

    class Hooks(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
        """Calls the tuner's methods."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            tuner.on_epoch_begin(trial, self.model, epoch, logs=logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            tuner.on_epoch_end(trial, self.model, epoch, logs=logs)

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            tuner.on_batch_begin(trial, self.model, batch, logs)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            tuner.on_batch_end(trial, self.model, batch, logs)

    return [Hooks()]


def _is_ours(method: Any) -> bool:
    return method is None or method.__module__.startswith("tune_jobs.keras_tuner.")


def numbers_in(logs: Any) -> dict[str, float]:
    """Return the metrics that a callback was given, as numbers; what is no single number is left out."""
    arrays = {str(name): np.asarray(value) for name, value in (logs or {}).items()}
    return {name: float(one) for name, one in arrays.items() if one.size == 1 and one.dtype.kind in "fiub"}


class HearsEpochs(Protocol):
    """An object that hears of the epochs of a trial while they are trained."""

    def begin_fit(self) -> None:
        """Take in that a fit begins."""

    def take(self, metrics: Mapping[str, float], *, is_last: bool) -> None:
        """Take in an epoch."""


class BestWeights:
    """Keeps the weights of a model's best epoch, over all the fits of a trial.

    Args:
        objective: The objective.

    Attributes:
        model: The model that was trained last; None before there is one.
        weights: The weights.
        listener: The object that hears of each epoch, too; None: nobody does.
    """

    def __init__(self, objective: Objective) -> None:
        self.listener: HearsEpochs | None = None
        self.model: Any = None
        self.weights: list[Any] = []
        self._objective = objective
        self._best: float | None = None

    def take(self, model: Any, logs: Any = None) -> None:
        """Take in an epoch of a model; one without the objective counts as the best.

        Args:
            model: The model.
            logs: The metrics of the epoch.
        """
        value = self._objective.get_value(logs) if logs and self._objective.has_value(logs) else None
        if value is not None and self._best is not None and not self._objective.better_than(value, self._best):
            return
        self.model, self.weights = model, model.get_weights()
        self._best = value

    def callback(self) -> Any:
        """Return a callback that takes in each epoch."""
        import keras

        keeper = self

        class KeepBest(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
            """Keeps the best weights."""

            def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
                if keeper.listener is not None:
                    keeper.listener.begin_fit()

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                keeper.take(self.model, logs)
                if keeper.listener is not None:
                    epochs = (self.params or {}).get("epochs")
                    is_last = bool(getattr(self.model, "stop_training", False)) or epoch + 1 == epochs
                    keeper.listener.take(numbers_in(logs), is_last=is_last)

            def __deepcopy__(self, memo: Any) -> Any:
                return self

        return KeepBest()
