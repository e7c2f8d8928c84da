"""A dense network with as many layers as its configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainables.keras_trainable import KerasTrainable

if TYPE_CHECKING:
    import keras


class Mlp(KerasTrainable):
    """A multilayer perceptron for classification; subclasses say on which data.

    Configuration: ``units`` (a list, one number a layer), ``dropout``, ``optimizer`` ("adam", "rmsprop",
    "sgd"), ``learning_rate``, ``momentum`` (with sgd), ``batch_size``.

    Attributes:
        input_shape: Shape of one example.
        classes: Number of classes.
    """

    input_shape: tuple[int, ...]
    classes: int = 10

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """784 -> (Dense relu -> Dropout) per layer -> softmax, compiled for integer labels."""
        import keras

        layers = [keras.Input(self.input_shape), keras.layers.Flatten()]
        for units in config["units"]:
            layers.append(keras.layers.Dense(units, activation="relu"))
            if config["dropout"]:
                layers.append(keras.layers.Dropout(config["dropout"]))
        layers.append(keras.layers.Dense(self.classes, activation="softmax"))
        model = keras.Sequential(layers)
        model.compile(_optimizer(config), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


def _optimizer(config: dict[str, Any]) -> keras.optimizers.Optimizer:
    import keras

    rate = config["learning_rate"]
    match config["optimizer"]:
        case "adam":
            return keras.optimizers.Adam(rate)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate)
        case "sgd":
            return keras.optimizers.SGD(rate, momentum=config["momentum"])
        case other:
            raise ValueError(f"optimizer is {other!r}, but must be 'adam', 'rmsprop' or 'sgd'.")
