"""Layers, losses, metrics and optimizers of a user's own; layers that do not train, or not always; other numbers."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from tests.support.kinds.data import CLASSES
from tests.support.kinds.registry import CROSS_ENTROPY, compiled, kind

# Objects of the user's own.


@keras.saving.register_keras_serializable("kinds")
class Scale(layers.Layer):  # type: ignore[misc]
    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1.0)
        return x * self.scale


@kind(needs_names=True)
def registered_layer(rate: float) -> Any:
    return compiled(keras.Sequential([Scale(), layers.Dense(CLASSES, "softmax")]), rate)


class Shift(layers.Layer):  # type: ignore[misc]
    def build(self, shape: Any) -> None:
        self.shift = self.add_weight(shape=(shape[-1],), initializer="zeros")

    def call(self, x: Any) -> Any:
        return x + self.shift


@kind(needs_trainable=True, needs_names=True)
def layer_that_is_not_registered(rate: float) -> Any:
    return compiled(keras.Sequential([keras.Input((4,)), Shift(), layers.Dense(CLASSES, "softmax")]), rate)


@kind(needs_trainable=True, needs_names=True)
def lambda_layer(rate: float) -> Any:
    return compiled(
        keras.Sequential([keras.Input((4,)), layers.Lambda(lambda x: x * 2), layers.Dense(CLASSES, "softmax")]), rate
    )


def own_loss(y: Any, prediction: Any) -> Any:
    return keras.losses.sparse_categorical_crossentropy(y, prediction) * 2


def own_metric(y: Any, prediction: Any) -> Any:
    return ops.max(prediction, axis=-1)


class OwnLoss(keras.losses.Loss):  # type: ignore[misc]
    def call(self, y: Any, prediction: Any) -> Any:
        return own_loss(y, prediction)


class OwnMetric(keras.metrics.Metric):  # type: ignore[misc]
    def __init__(self, name: str = "own") -> None:
        super().__init__(name=name)
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y: Any, prediction: Any, sample_weight: Any = None) -> None:
        self.total.assign_add(ops.sum(ops.max(prediction, axis=-1)))

    def result(self) -> Any:
        return self.total + 0.0


@kind("array", "weighted")
def functions_as_loss_and_metric(rate: float) -> Any:
    return compiled(keras.Sequential([layers.Dense(CLASSES, "softmax")]), rate, own_loss, (own_metric, OwnMetric()))


@kind("array")
def classes_as_loss_and_metric(rate: float) -> Any:
    return compiled(
        keras.Sequential([keras.Input((4,)), layers.Dense(CLASSES, "softmax")]), rate, OwnLoss(), (OwnMetric(),)
    )


@kind("quantity")
def loss_within_the_model(rate: float) -> Any:
    inputs = keras.Input((4,))
    code = layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l2")(inputs)
    return compiled(keras.Model(inputs, layers.Dense(1)(code)), rate, None, None)


class OwnOptimizer(keras.optimizers.SGD):  # type: ignore[misc]
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient * 2, variable, learning_rate)


@kind()
def optimizer_of_its_own(rate: float) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(CLASSES, "softmax")])
    schedule = keras.optimizers.schedules.ExponentialDecay(rate, 3, 0.5)
    model.compile(OwnOptimizer(schedule, momentum=0.9), CROSS_ENTROPY, metrics=["accuracy"])
    return model


# Layers that do not train, or not always; numbers of other kinds.


class UnfreezeAtBegin(keras.callbacks.Callback):  # type: ignore[misc]
    """Lets all layers train, before the first step and without a word to the optimizer."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.model.layers[0].trainable = True


class Unfreeze(keras.callbacks.Callback):
    """Lets the first layer train after the first epoch."""

    def __init__(self, *, compiles: bool) -> None:
        super().__init__()
        self.compiles = compiles

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            self.model.layers[0].trainable = True
            if self.compiles:
                self.model.compile(keras.optimizers.RMSprop(0.01), CROSS_ENTROPY, metrics=["accuracy"])


def _frozen(rate: float) -> Any:
    return compiled(
        keras.Sequential([keras.Input((4,)), layers.Dense(5, trainable=False), layers.Dense(CLASSES, "softmax")]), rate
    )


@kind("array")
def frozen(rate: float) -> Any:
    return _frozen(rate)


@kind("array", callbacks=lambda: [UnfreezeAtBegin()])
def unfrozen_when_the_training_begins(rate: float) -> Any:
    return _frozen(rate)


@kind("array", callbacks=lambda: [Unfreeze(compiles=True)])
def unfrozen_and_compiled_again(rate: float) -> Any:
    return _frozen(rate)


@kind("array", callbacks=lambda: [Unfreeze(compiles=False)], is_traced=True)
def unfrozen_and_not_compiled(rate: float) -> Any:
    return _frozen(rate)


@kind("array")
def averaged_weights(rate: float) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(CLASSES, "softmax")])
    model.compile(keras.optimizers.AdamW(rate, use_ema=True, ema_momentum=0.5), CROSS_ENTROPY, metrics=["accuracy"])
    return model


@kind("array")
def scaled_loss_and_accumulated_gradients(rate: float) -> Any:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(CLASSES, "softmax")])
    inner = keras.optimizers.Adam(rate, gradient_accumulation_steps=2, clipnorm=1.0)
    model.compile(keras.optimizers.LossScaleOptimizer(inner), CROSS_ENTROPY, metrics=["accuracy"])
    return model


@kind("array")
def sixteen_bits(rate: float) -> Any:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, "relu", dtype="mixed_bfloat16"),
            layers.Dense(CLASSES, "softmax", dtype="float32"),
        ]
    )
    return compiled(model, rate)


@kind("array")
def compiled_by_xla(rate: float) -> Any:
    return compiled(keras.Sequential([keras.Input((4,)), layers.Dense(CLASSES, "softmax")]), rate, jit_compile=True)


CUSTOM_OBJECTS = {
    "Shift": Shift,
    "own_loss": own_loss,
    "own_metric": own_metric,
    "OwnLoss": OwnLoss,
    "OwnMetric": OwnMetric,
    "OwnOptimizer": OwnOptimizer,
}
