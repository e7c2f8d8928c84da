"""The loop of TensorFlow over the batches of a span, which gathers each batch within the compiled step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from trainables.data.nested import Split
from trainables.input.gathered_rows import BatchSpan, EpochRows, Step
from trainables.input.tensors import read_as_written


def can_loop(model: Any) -> bool:  # noqa: ARG001 - JAX needs to know it
    """Return whether the loop is of use: not on a GPU."""
    import tensorflow as tf

    return not tf.config.list_logical_devices("GPU")


def can_hold(split: Split) -> bool:  # noqa: ARG001 - JAX needs to know it
    """Return True: TensorFlow holds arrays of any type."""
    return True


def scalar(number: int) -> Any:
    """Return a number that steps read: another number is no other trace."""
    import tensorflow as tf

    return tf.constant(number, tf.int64)


def indices(order: Any) -> Any:
    """Return an order of examples as a tensor."""
    import tensorflow as tf

    return tf.constant(order, tf.int64)


def spans(batch_spans: BatchSpan, steps: int) -> Any:
    """Return the data set that ``fit`` reads.

    Args:
        batch_spans: First batches, and the batches after the last ones, each an array of shape (spans,).
        steps: The number of batches of an epoch. Keras counts batches by the data set's length.
    """
    import tensorflow as tf

    dataset = read_as_written(tf.data.Dataset.from_tensor_slices(batch_spans))
    return dataset.apply(tf.data.experimental.assert_cardinality(steps))


def make_function(model: Any, step: Step, rows: Callable[[], EpochRows], keras_function: Step) -> Step:
    """Return what Keras calls for the next steps of an epoch: it takes an iterator, and returns metrics."""
    import tensorflow as tf

    run_span = _span_loop(model, step)
    if not model.run_eagerly:  # a callback may compile the model again, to run eagerly
        run_span = tf.function(run_span, autograph=False, reduce_retracing=True)

    def function(iterator: Any) -> Any:
        if isinstance(getattr(iterator, "element_spec", None), BatchSpan):
            return run_span(next(iterator), rows())
        return keras_function(iterator)

    return function


def _span_loop(model: Any, step: Step) -> Callable[[BatchSpan, EpochRows], Any]:
    """Return the loop over a span's batches, which TensorFlow traces."""
    import tensorflow as tf

    if model.jit_compile:
        step = tf.function(step, jit_compile=True, autograph=False)

    def run_span(span: BatchSpan, rows: EpochRows) -> Any:
        def run_batch(batch: Any) -> tuple[Any]:
            indices = rows.order[batch * rows.batch_size : (batch + 1) * rows.batch_size]
            step(keras.tree.map_structure(lambda array: tf.gather(array, indices), rows.arrays))
            return (batch + 1,)

        tf.while_loop(lambda batch: batch < span.stop, run_batch, (span.start,), parallel_iterations=1)
        return model.get_metrics_result()  # what the last step would return; read once

    return run_span
