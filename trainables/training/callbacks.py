"""Keras callbacks that live as long as a trial, although each epoch is a ``fit`` of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainables.internals.global_state import seed_epoch
from trainables.training.state.plain_values import is_plain, pack, unpack
from trainables.training.state.walk import attributes_of

_SET_BY_KERAS = "params"  # describes the fit; Keras sets the model too, but that is no plain value


class TrialCallbacks(keras.callbacks.CallbackList):  # type: ignore[misc]  # Keras has no types
    """The callbacks of one trial: ``on_train_begin`` and ``on_train_end`` reach them once, not once an epoch.

    Args:
        callbacks: The callbacks of the trial's ``FitOptions``.
        model: The model that they watch.
        epochs: The number of epochs that they may plan for.
        steps: Batches per epoch; None where nobody knows.
        seed: The seed of the training.
        before_first_step: Called once, when all of them have heard that the first epoch begins. Keras runs, and traces,
            the first step next.
        after_calls: Called whenever callbacks have heard of the trial's or an epoch's begin or end. It returns whether
            the model's steps have to be made again.

    Attributes:
        epoch_logs: The metrics of the last epoch, with all that callbacks added to them.
        other_logs: What else was among them, and is no number: its kind in words.
    """

    def __init__(
        self,
        callbacks: Sequence[Any],
        model: Any,
        epochs: int,
        steps: int | None,
        seed: int = 0,
        before_first_step: Callable[[], object] = lambda: None,
        after_calls: Callable[[], bool] = lambda: False,
    ) -> None:
        self.epoch_logs: dict[str, float] = {}
        self.other_logs: dict[str, str] = {}
        self._seed = seed
        self._before_first_step: Callable[[], object] | None = before_first_step
        self._after_calls = after_calls
        self._ended = False
        # The last callback sees what the others added to the logs, because Keras gives all callbacks the same copy.
        recorder = keras.callbacks.LambdaCallback(on_epoch_end=self._record_logs)
        super().__init__([*callbacks, recorder], add_history=True, model=model, epochs=epochs, steps=steps, verbose=0)
        super().on_train_begin()
        self._after_calls()

    def on_train_begin(self, logs: Any = None) -> None:
        """Do nothing: every ``fit`` calls this, but the trial began long ago."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Tell all callbacks that an epoch begins; the first time, call ``before_first_step`` then."""
        seed_epoch(self._seed, epoch)  # not before: the first `fit` of a process draws to find out shapes
        super().on_epoch_begin(epoch, logs)
        if self._after_calls():  # `fit` has made the steps that it runs next
            self.model.make_train_function()
        if self._before_first_step is not None:
            self._before_first_step()
            self._before_first_step = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell all callbacks that an epoch ended, before ``fit`` asks the optimizer to finish its work."""
        super().on_epoch_end(epoch, logs)
        self._after_calls()

    def on_train_end(self, logs: Any = None) -> None:
        """Do nothing: every ``fit`` calls this, but the trial goes on."""

    def end(self) -> None:
        """End the trial for its callbacks; a second call does nothing."""
        if not self._ended:
            self._ended = True
            super().on_train_end(self.epoch_logs)

    def state(self) -> tuple[list[Any], dict[str, np.ndarray]]:
        """Return the callbacks' plain attributes as JSON values, and the arrays among them by name.

        Plain are numbers, strings, arrays, tensors, collections of them, and objects of classes of the user's that have
        such attributes only.
        """
        arrays: dict[str, np.ndarray] = {}
        states = [
            {
                "class": type(callback).__name__,
                "attributes": {
                    name: pack(value, arrays)
                    for name, value in attributes_of(callback).items()
                    if name != _SET_BY_KERAS and is_plain(value)
                },
            }
            for callback in self.callbacks
        ]
        return states, arrays

    def restore(self, states: Sequence[Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Give the callbacks the attributes that ``state`` returned.

        Args:
            states: The first part of what ``state`` returned.
            arrays: The second part; it may hold other arrays too.

        Raises:
            ValueError: The trial has other callbacks than the one that was saved.
        """
        before = [state["class"] for state in states]
        now = [type(callback).__name__ for callback in self.callbacks]
        if before != now:
            raise ValueError(f"The callbacks were {', '.join(before)}, but now they are {', '.join(now)}.")
        for callback, state in zip(self.callbacks, states, strict=True):
            attributes = attributes_of(callback)
            for name, value in state["attributes"].items():
                object.__setattr__(callback, name, unpack(value, arrays, attributes.get(name)))
            _forget_direction(callback)

    def _record_logs(self, epoch: int, logs: Any) -> None:  # noqa: ARG002 - Keras's signature
        numbers = {name: _number(value) for name, value in logs.items()}
        self.epoch_logs = {name: number for name, number in numbers.items() if number is not None}
        self.other_logs = {name: _described(logs[name]) for name, number in numbers.items() if number is None}


def _forget_direction(callback: Any) -> None:
    # EarlyStopping, ReduceLROnPlateau and ModelCheckpoint learn their direction in their first epoch, and turn the sign
    # of min_delta with it. The saved sign has been turned already, and would be turned back.
    if hasattr(callback, "monitor_op") and hasattr(callback, "min_delta"):
        callback.monitor_op = None
        callback.min_delta = abs(callback.min_delta)


def _number(value: Any) -> float | None:
    """Return a number that a metric or a callback reports: in an array or a tensor too, if it is alone there."""
    if isinstance(value, str | bytes | complex):
        return None
    try:
        if hasattr(value, "__array__"):  # an F1Score of one class is an array of one number
            array = np.asarray(value)
            return float(array.item()) if array.size == 1 and array.dtype.kind in "biuf" else None
        return float(value)
    except OverflowError:
        return math.inf
    except Exception:  # noqa: BLE001 - what is logged may be anything
        return None


def _described(value: Any) -> str:
    shape = getattr(value, "shape", None)
    return f"an array of shape {tuple(shape)}" if shape is not None else f"of type {type(value).__name__}"
