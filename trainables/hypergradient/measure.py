"""The measurement: the validation loss, and the cosines between its gradient and the derivatives by the rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from trainables.hypergradient.rates import Rate, has_kerass_loss

Measure = Callable[[Any, Any, Sequence[Any]], Any]
"""A function of arrays, the indices of the examples, and the trainable weights some steps ago.

It returns the loss, and then the cosine of each rate, as a tensor.
"""


def make_measure(model: Any, rates: Sequence[Rate]) -> Measure:
    """Return the function that measures, which TensorFlow compiles when it is first called.

    The derivative of the weights by the logarithm of the learning rate is the way that they went since then. That
    holds for every optimizer whose steps are proportional to its learning rate, and leaves out how the earlier steps
    change the gradients of the later ones (as Baydin et al. 2018 do). The derivative by the logarithm of a
    regularization's strength has the direction of minus the weights: Luketina et al. 2016 leave out all but the last
    step too.

    Args:
        model: A compiled ``keras.Model``, with its weights.
        rates: What is adjusted.
    """
    import tensorflow as tf

    weights = model.trainable_variables
    subtracts_penalties = has_kerass_loss(model)

    def loss_of(batch: Any) -> Any:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        outputs = keras.Model.predict_step(model, (x,))  # without dropout, as the model is validated
        loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=sample_weight)
        if subtracts_penalties:  # they are no part of how well the model predicts
            for penalty in model.losses:
                loss -= tf.reduce_sum(tf.cast(penalty, loss.dtype))
        return loss

    def derivative(rate: Rate, before: Sequence[Any]) -> list[tuple[int, Any]]:
        if rate.name == "learning_rate":
            return [
                (index, weight.value - old) for index, (weight, old) in enumerate(zip(weights, before, strict=True))
            ]
        return [(index, -weights[index].value) for index in rate.pulled]

    def measure(arrays: Any, rows: Any, before: Sequence[Any]) -> Any:
        metrics = [(variable, tf.identity(variable.value)) for variable in model.metrics_variables]
        with tf.GradientTape() as tape:
            loss = loss_of(keras.tree.map_structure(lambda array: tf.gather(array, rows), arrays))
        gradients = [
            tf.zeros_like(weight.value) if gradient is None else tf.cast(tf.convert_to_tensor(gradient), weight.dtype)
            for weight, gradient in zip(weights, tape.gradient(loss, [each.value for each in weights]), strict=True)
        ]
        for variable, value in metrics:  # Keras counts the losses of several outputs where it computes them
            variable.assign(value)
        cosines = [_cosine([(gradients[index], part) for index, part in derivative(rate, before)]) for rate in rates]
        return tf.stack([tf.cast(loss, tf.float32), *cosines])

    return tf.function(measure, autograph=False, reduce_retracing=True)  # type: ignore[no-any-return]


def _cosine(pairs: Sequence[tuple[Any, Any]]) -> Any:
    """Return the cosine between two vectors that come in parts; no number where one of them is zero."""
    import tensorflow as tf

    def product(parts: Sequence[tuple[Any, Any]]) -> Any:
        return tf.add_n([tf.reduce_sum(tf.cast(a, tf.float32) * tf.cast(b, tf.float32)) for a, b in parts])

    norms = (product([(part, part) for part in parts]) for parts in zip(*pairs, strict=True))
    one, other = (tf.math.rsqrt(norm) for norm in norms)
    return product(pairs) * one * other
