"""Subclasses of keras.Model: with layers only they know, steps of their own, and several optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from tests.support.kinds.data import CLASSES
from tests.support.kinds.registry import CROSS_ENTROPY, compiled, kind, softmax

# Subclasses of keras.Model.


class Mlp(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Nobody can build it but its own code: it has no ``get_config``, and needs arguments."""

    def __init__(self, sizes: Callable[[], list[int]]) -> None:
        super().__init__()
        self.hidden = [layers.Dense(size, "relu") for size in sizes()]
        self.out = layers.Dense(CLASSES, "softmax")

    def call(self, x: Any) -> Any:
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)


@kind("array", needs_trainable=True, not_exported="Keras cannot describe the model")
def subclass_that_keras_cannot_describe(rate: float) -> Any:
    return compiled(Mlp(lambda: [6, 5]), rate)


class Plain(keras.Model):  # type: ignore[misc]
    def __init__(self, units: int = 6, **options: Any) -> None:
        super().__init__(**options)
        self.hidden = layers.Dense(units, "relu")
        self.dropout = layers.Dropout(0.2)
        self.out = layers.Dense(CLASSES, "softmax")

    def call(self, x: Any, training: bool = False) -> Any:
        return self.out(self.dropout(self.hidden(x), training=training))


@kind("array", "weighted", needs_trainable=True, not_exported="has other weights")
def subclass_that_keras_describes_by_defaults(rate: float) -> Any:
    return compiled(Plain(5), rate)


class Tanh(Plain):
    """Has the weights that Keras describes, and another activation."""

    def __init__(self, activation: str = "relu", **options: Any) -> None:
        super().__init__(**options)
        self.hidden.activation = keras.activations.get(activation)


@kind("array", needs_trainable=True, not_exported="predicts other numbers")
def subclass_that_keras_describes_with_another_activation(rate: float) -> Any:
    return compiled(Tanh("tanh"), rate)


class Closed(Plain):
    """Cannot be made from its description: it takes no further arguments."""

    def __init__(self) -> None:
        super().__init__(5)


@kind("array", needs_trainable=True, not_exported="cannot build the model again")
def subclass_that_takes_no_options(rate: float) -> Any:
    return compiled(Closed(), rate)


class Open(Plain):
    def __init__(self, **options: Any) -> None:
        super().__init__(5, **options)


@kind("array", "weighted", needs_trainable=True, needs_names=True)
def subclass(rate: float) -> Any:
    return compiled(Open(), rate)


@keras.saving.register_keras_serializable("kinds")
class Registered(Plain):
    def get_config(self) -> dict[str, Any]:
        return {"units": self.hidden.units}


@kind(needs_names=True)
def registered_subclass(rate: float) -> Any:
    return compiled(Registered(5), rate)


@keras.saving.register_keras_serializable("kinds")
class Towers(keras.Model):  # type: ignore[misc]
    """Takes two inputs in a list, and returns two outputs in a dict."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.towers = [layers.Dense(4, "relu"), layers.Dense(4, "relu")]
        self.kind_out, self.size_out = layers.Dense(CLASSES, "softmax"), layers.Dense(1)

    def call(self, inputs: Any) -> dict[str, Any]:
        left, right = inputs.values() if isinstance(inputs, dict) else inputs
        joined = ops.concatenate([self.towers[0](left), self.towers[1](right)], axis=-1)
        return {"kind": self.kind_out(joined), "size": self.size_out(joined)}


@kind("two_targets_weighted", needs_names=True)
def subclass_with_two_inputs_and_outputs(rate: float) -> Any:
    return compiled(Towers(), rate, {"kind": CROSS_ENTROPY, "size": "mse"}, {"kind": ["accuracy"], "size": ["mae"]})


@keras.saving.register_keras_serializable("kinds")
class TowersInLists(Towers):
    def call(self, inputs: Any) -> Any:
        return list(super().call(inputs).values())


@kind("lists_on_both_sides", needs_names=True)
def subclass_with_lists_on_both_sides(rate: float) -> Any:
    return compiled(TowersInLists(), rate, [CROSS_ENTROPY, "mse"], [["accuracy"], ["mae"]])


# Steps of the user's own, several optimizers.


def _step(loss: Callable[[], Any], *parts: tuple[Any, Any]) -> None:
    """Take a step with each optimizer, in the layer that it trains."""
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        value = loss()
    for optimizer, layer in parts:
        variables = layer.trainable_variables  # a layer that is not built yet has them only now
        optimizer.apply(tape.gradient(value, variables), variables)


@keras.saving.register_keras_serializable("kinds")
class TwoOptimizers(keras.Model):  # type: ignore[misc]
    """Trains its base with an optimizer of its own, which ``compile`` does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.head = layers.Dense(5, "tanh"), layers.Dense(CLASSES, "softmax")
        self.slow = keras.optimizers.Adam(0.001)
        self.noise = keras.random.SeedGenerator(1)

    def call(self, x: Any) -> Any:
        return self.head(self.base(x))

    def train_step(self, batch: Any) -> Any:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        x = x + keras.random.normal(ops.shape(x), stddev=0.1, seed=self.noise)
        predictions = []

        def loss() -> Any:
            predictions.append(self(x, training=True))
            return self.compute_loss(x, y, predictions[0], weights)

        _step(loss, (self.slow, self.base), (self.optimizer, self.head))
        return self.compute_metrics(x, y, predictions[0], weights)

    def get_config(self) -> dict[str, Any]:
        return {}


@kind("array", "weighted", needs_names=True)
def two_optimizers(rate: float) -> Any:
    return compiled(TwoOptimizers(), rate)


@keras.saving.register_keras_serializable("kinds")
class Duel(keras.Model):  # type: ignore[misc]
    """Has a ``compile`` of its own with two optimizers, and metrics of its own, as generative models have them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.code, self.out = layers.Dense(3, "tanh"), layers.Dense(1)
        self.error = keras.metrics.Mean(name="error")

    def compile(self, slow: Any, fast: Any) -> None:
        super().compile()
        self.optimizers = {"slow": slow, "fast": fast}

    @property
    def metrics(self) -> list[Any]:
        return [self.error]

    def call(self, x: Any) -> Any:
        return self.out(self.code(x))

    def train_step(self, batch: Any) -> Any:
        x, y, *_ = batch
        parts = (self.optimizers["slow"], self.code), (self.optimizers["fast"], self.out)
        _step(lambda: ops.mean(ops.square(self(x) - y)), *parts)
        return self.test_step(batch)

    def test_step(self, batch: Any) -> Any:
        x, y, *_ = batch
        self.error.update_state(ops.square(self(x) - y))
        return {"loss": self.error.result()}

    def get_config(self) -> dict[str, Any]:
        return {}


@kind("quantity", needs_names=True)
def compile_of_its_own_with_two_optimizers(rate: float) -> Any:
    model = Duel()
    model.compile(keras.optimizers.SGD(rate / 10), keras.optimizers.Adam(rate))
    return model


class Denoiser(keras.Model):  # type: ignore[misc]
    """Has a layer that only its ``train_step`` calls: its weights appear with the first step."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.noise, self.head = layers.Dense(4), layers.Dense(CLASSES, "softmax")

    def call(self, x: Any) -> Any:
        return self.head(x)

    def train_step(self, batch: Any) -> Any:
        x, y, *_ = batch
        predictions = []

        def loss() -> Any:
            predictions.append(self(x + 0.1 * self.noise(x), training=True))
            return self.compute_loss(x, y, predictions[0])

        _step(loss, (self.optimizer, self.head))
        return self.compute_metrics(x, y, predictions[0])


@kind("array", needs_trainable=True, needs_names=True)
def weights_that_appear_in_a_step(rate: float) -> Any:
    model = Denoiser()
    model.compile(keras.optimizers.SGD(rate), CROSS_ENTROPY, metrics=["accuracy"])
    return model


class WithStep(keras.Model):  # type: ignore[misc]
    """A functional model whose class has a ``train_step`` and metrics of its own."""

    def train_step(self, batch: Any) -> Any:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        predictions = []

        def loss() -> Any:
            predictions.append(self(x, training=True))
            return self.compute_loss(x, y, predictions[0], weights)

        _step(loss, (self.optimizer, self))
        return {**self.compute_metrics(x, y, predictions[0], weights), "steps": self.optimizer.iterations}


@kind("list", needs_trainable=True, needs_names=True)
def functional_with_a_step_of_its_own(rate: float) -> Any:
    left, right = keras.Input((1,)), keras.Input((3,))
    return compiled(WithStep([left, right], softmax(layers.Concatenate()([left, right]))), rate)


CUSTOM_OBJECTS = {"Open": Open, "Denoiser": Denoiser, "WithStep": WithStep}
