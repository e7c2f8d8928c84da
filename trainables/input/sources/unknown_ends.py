"""Epochs whose end nobody knows beforehand: every batch is a step, and the end of the data is none."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

_KERAS_WARNING = "Your input ran out of data"  # Keras tells it at each end that it did not know


@contextmanager
def unknown_ends(*inputs: Any) -> Iterator[None]:
    """Silence Keras's warning that the data has ended, while ``fit`` reads inputs whose end is unknown."""
    if all(each is None or each.steps is not None for each in inputs):
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_KERAS_WARNING)
        yield


def end_without_a_step(model: Any) -> None:
    """Let a model's training function see the end of its data before it runs a step.

    With one step a call, Keras 3.15 on TensorFlow asks for the next batch within the step. At the end of the data, the
    parts of the step that need no batch have run already: 11 iterations of the optimizer for 10 batches, so that
    schedules, Adam's corrections and seeds of dropout move on. With more steps a call, Keras looks first.

    Args:
        model: A compiled ``keras.Model`` whose training function is not made yet.
    """
    if keras.backend.backend() != "tensorflow":
        return
    make_keras_function = model.make_train_function

    def make(force: bool = False) -> Any:
        if model.train_function is None or force:
            make_keras_function(force=True)
            model.train_function = _looking_first(model, model.train_function)
        return model.train_function

    model.make_train_function = make


def _looking_first(model: Any, function: Any) -> Any:
    import tensorflow as tf

    def look_first(iterator: Any) -> Any:
        if model.steps_per_execution != 1 or not isinstance(iterator, tf.data.Iterator):
            return function(iterator)
        batch = iterator.get_next_as_optional()
        if not batch.has_value():
            raise StopIteration
        return function(iter((batch.get_value(),)))

    return look_first
