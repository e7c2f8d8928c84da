"""Lets several trainings take turns in one process, each with its own names and random numbers."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state as keras_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED


class PrivateGlobalState:
    """One training's own names and random numbers: what comes of it does not depend on who else takes turns.

    Keras numbers the names of layers and metrics, so that the second of two equal models would report ``auc_1``
    beside the first one's ``auc``. What a custom layer or a callback draws without a generator of its own comes
    from the global ones: of Keras, NumPy and Python, and for TensorFlow's stateful operations from the seed that
    is global when they are traced. Keras's own layers draw from generators within the model.

    The state is exchanged, not seeded anew: ``tf.random.set_seed`` in the middle of a training would begin
    the sequence of every stateful operation again, and Keras's generator belongs to the functions that were traced
    with it.
    """

    def __init__(self) -> None:
        self._own: tuple[Any, ...] | None = None

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within it, the training's state is the global one; it begins as a copy of what it finds."""
        outside = _current()
        _install(self._own or (_copy_of_keras(), *outside[1:]))
        try:
            yield
        finally:
            self._own = _current()
            _install(outside)


_seeds_used: set[int] = set()


def set_seed(seed: int) -> None:
    """``keras.utils.set_random_seed``, which leaves compiled functions compiled where that makes no difference.

    ``tf.random.set_seed`` empties TensorFlow's cache of kernels, so that stateful operations begin again; every
    compiled function is then optimised anew at its next call (0.4 s for a small model). Kernels of stateful
    operations belong to their seeds: there are none yet of a seed that this process has not used.
    """
    if seed in _seeds_used or keras.backend.backend() != "tensorflow":
        keras.utils.set_random_seed(seed)
    else:
        keras_state.set_global_attribute(GLOBAL_RANDOM_SEED, seed)
        keras_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        context = _tensorflow_context()
        context._seed, context._rng = seed, random.Random(seed)  # noqa: S311 - as TensorFlow does
    _seeds_used.add(seed)


def remember_names() -> Callable[[], None]:
    """What gives Keras the names of layers and metrics that it would give now, whatever is made meanwhile."""
    names = _copy_of_keras()

    def set_back() -> None:
        keras_state.GLOBAL_STATE_TRACKER = names

    return set_back


def forget_names() -> None:
    """What ``keras.backend.clear_session`` does for the next model's names; compiled functions stay compiled."""
    keras_state.GLOBAL_STATE_TRACKER = threading.local()
    keras_state.GLOBAL_SETTINGS_TRACKER = threading.local()


def _current() -> tuple[Any, ...]:
    return (
        keras_state.GLOBAL_STATE_TRACKER,
        random.getstate(),
        np.random.get_state(),  # noqa: NPY002 - whoever draws from it is to find it as it was
        _tensorflow_seeds(),
    )


def _install(state: tuple[Any, ...]) -> None:
    keras_state.GLOBAL_STATE_TRACKER, python, numpy, tensorflow = state
    random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002
    if keras.backend.backend() == "tensorflow":
        context = _tensorflow_context()
        context._seed, context._rng = tensorflow


def _copy_of_keras() -> Any:
    copied = threading.local()
    for name, value in vars(keras_state.GLOBAL_STATE_TRACKER).items():
        setattr(copied, name, value.copy() if isinstance(value, dict) else value)
    return copied


def _tensorflow_seeds() -> tuple[Any, ...] | None:
    if keras.backend.backend() != "tensorflow":
        return None
    context = _tensorflow_context()
    return context._seed, getattr(context, "_rng", None)


def _tensorflow_context() -> Any:
    from tensorflow.python.eager import context

    return context.context()
