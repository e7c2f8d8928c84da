"""Compiled steps that gather their batches themselves, for models on a CPU.

Keras reads batches from an iterator, within its compiled loop. To make them beside it, to hand them from thread to
thread, and to ask before each whether there is another, took a third to a half of the time of a small network's epoch,
and most of what a first epoch takes beyond a later one. Here the iterator only says which batches come next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from trainables.data import Split
from trainables.devices.replicas import in_scope
from trainables.input.pipeline import Converted, TrainingInput

Step = Callable[[Any], Any]

_STEPS = ("make_train_function", "make_test_function", "train_step", "test_step", "compute_metrics")


def gathers(model: Any) -> bool:
    """Whether a model's steps may gather their batches: on TensorFlow, without a GPU, where the steps are Keras's own.

    Whoever defines a step of his own may count on the loop around it; for a GPU, batches are best made beside it.
    """
    if keras.backend.backend() != "tensorflow" or model.run_eagerly or in_scope():
        return False
    import tensorflow as tf

    is_kerass = all(
        name not in vars(model) and getattr(type(model), name) is getattr(keras.Model, name) for name in _STEPS
    )
    are_unmade = model.train_function is None and model.test_function is None
    return is_kerass and are_unmade and not tf.config.list_logical_devices("GPU")


class Span(NamedTuple):
    """The batches of one call into the backend: from ``begin`` to the one before ``end``."""

    begin: Any
    end: Any


class Rows(NamedTuple):
    """Where the batches of an epoch are gathered: rows of the arrays, in the epoch's order."""

    batch_size: Any
    order: Any
    arrays: Any


class GatheredInput(TrainingInput):
    """What a model with ``GatheringSteps`` reads.

    Args:
        converted: Makes a tensor of an array.
        steps_per_execution: Batches in a call into the backend.
        shuffled: Whether every epoch has an order of its own; else the examples come in theirs.

    Attributes:
        rows: Those of the epoch that was asked for last.
    """

    def __init__(
        self,
        arrays: Split,
        batch_size: int,
        seed: int,
        converted: Converted,
        steps_per_execution: int,
        *,
        shuffled: bool = True,
    ) -> None:
        super().__init__(arrays, batch_size, seed, None)
        import tensorflow as tf

        self._shuffled = shuffled
        tensors = keras.tree.map_structure(converted, arrays)
        order = np.arange(self.examples)
        self.rows = Rows(tf.constant(batch_size, tf.int64), tf.constant(order, tf.int64), tensors)
        begins = np.arange(0, self.steps, steps_per_execution)
        spans = Span(begins, np.minimum(begins + steps_per_execution, self.steps))
        # Keras is told that there are as many as the epoch has batches: it counts them.
        self._spans = tf.data.Dataset.from_tensor_slices(spans).apply(
            tf.data.experimental.assert_cardinality(self.steps)
        )

    @property
    def form(self) -> str:
        """Types and shapes of the arrays, and not the batch size: the steps do not depend on it."""
        tensors = keras.tree.flatten(self.rows.arrays)
        return str([(tensor.dtype.name, *tensor.shape) for tensor in tensors])

    def for_epoch(self, epoch: int) -> Any:
        """The spans of an epoch (counted from 0), whose rows are there from now on."""
        import tensorflow as tf

        if self._shuffled:
            self.rows = self.rows._replace(order=tf.constant(self.order(epoch), tf.int64))
        return self._spans


class GatheringSteps:
    """The steps of a model, compiled once: what they read may change, and with it the batch size.

    Args:
        model: A compiled model that ``gathers``. What is no span, from a callback say, it reads as ever.
    """

    def __init__(self, model: Any) -> None:
        self._inputs: tuple[Any, Any] = (None, None)
        _replace_maker(model, "train", lambda: self._inputs[0].rows)
        _replace_maker(model, "test", lambda: self._inputs[1].rows)

    def feed(self, training: Any, validation: Any) -> None:
        """From now on, spans are those of these inputs."""
        self._inputs = (training, validation)


def _replace_maker(model: Any, kind: str, rows: Callable[[], Rows]) -> None:
    """Replace ``make_train_function`` or ``make_test_function``, which Keras calls at the begin of each epoch."""
    maker, attribute = f"make_{kind}_function", f"{kind}_function"
    step, make_kerass = getattr(model, f"{kind}_step"), getattr(model, maker)

    def make(force: bool = False) -> Any:
        if getattr(model, attribute) is None or force:
            make_kerass(force=True)
            setattr(model, attribute, _function(model, step, rows, getattr(model, attribute)))
        return getattr(model, attribute)

    setattr(model, maker, make)


def _function(model: Any, step: Step, rows: Callable[[], Rows], kerass: Step) -> Step:
    """What Keras calls for the next steps of an epoch: it returns their metrics."""
    import tensorflow as tf

    over_span = tf.function(_loop(model, step), autograph=False, reduce_retracing=True)

    def function(iterator: Any) -> Any:
        if isinstance(getattr(iterator, "element_spec", None), Span):
            return over_span(next(iterator), rows())
        return kerass(iterator)

    return function


def _loop(model: Any, step: Step) -> Callable[[Span, Rows], Any]:
    import tensorflow as tf

    if model.jit_compile:
        step = tf.function(step, jit_compile=True, autograph=False)

    def over_span(span: Span, rows: Rows) -> Any:
        def one(batch: Any) -> tuple[Any]:
            chosen = rows.order[batch * rows.batch_size : (batch + 1) * rows.batch_size]
            step(keras.tree.map_structure(lambda array: tf.gather(array, chosen), rows.arrays))
            return (batch + 1,)

        tf.while_loop(lambda batch: batch < span.end, one, (span.begin,), parallel_iterations=1)
        return model.get_metrics_result()  # what the last step would return; read once

    return over_span
