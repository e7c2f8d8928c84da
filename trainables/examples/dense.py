"""A dense network whose every part is a key of its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from trainables.examples.dense_config import OPTIMIZERS, checked_config
from trainables.fit_options import FitOptions
from trainables.keras_trainable import KerasTrainable

if TYPE_CHECKING:
    import keras


class Dense(KerasTrainable):
    """A dense network for classification; subclasses load the data.

    It is made of Keras's own parts only: a saved model loads where this package is not installed.

    Attributes:
        input_shape: The shape of one example.
        classes: The number of classes.
        defaults: Every key of a configuration, with its default; a subclass may change the defaults. A configuration
            may also have a ``batch_size``.
    """

    input_shape: ClassVar[tuple[int, ...]]
    classes: ClassVar[int] = 10
    defaults: ClassVar[Mapping[str, Any]] = {
        "units": None,  # a list, one number per layer; None: the next two keys
        "layers": 1,  # the number of equal layers …
        "nodes": 128,  # … and the units of each
        "activation": "relu",  # Keras's name of it
        "dropout": 0.0,  # after each layer
        "batch_normalisation": False,  # between a layer and its activation (Ioffe and Szegedy 2015)
        "regulariser": None,  # of the layers' kernels: None, "l1" or "l2" …
        "strength": 1e-4,  # … times this
        "weight_constraint": None,  # the largest norm of a unit's incoming weights
        "activity_regularisation": 0.0,  # times the L1 norm of a layer's activations, per example
        "input_noise": 0.0,  # standard deviation of Gaussian noise on the input
        "optimizer": "adam",  # or "adagrad", "rmsprop", "sgd"
        "learning_rate": None,  # None: the optimizer's own default
        "momentum": None,  # the decay of averaged gradients (Adam's beta_1); None: the optimizer's own default
        "loss": "sparse_categorical_crossentropy",  # Keras's name of it; "sparse_…" is for integer labels
        "early_stopping": None,  # epochs without a lower val_loss
    }

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the compiled model: input, noise, features, dense layers, softmax.

        Args:
            config: Values of some of the keys in ``defaults``.

        Raises:
            InvalidTrainable: The configuration has an unknown key.
            ValueError: Values break their rules; the message lists all of them.
        """
        import keras

        chosen = checked_config(config, self.defaults)
        noise = [keras.layers.GaussianNoise(chosen["input_noise"])] if chosen["input_noise"] else []
        units = [chosen["nodes"]] * chosen["layers"] if chosen["units"] is None else chosen["units"]
        model = keras.Sequential(
            [
                keras.Input(self.input_shape),
                *noise,
                *self.features(),
                keras.layers.Flatten(),
                *(layer for count in units for layer in _hidden(count, chosen)),
                keras.layers.Dense(self.classes, activation="softmax"),
            ]
        )
        model.compile(_optimizer(chosen), loss=chosen["loss"], metrics=["accuracy"])
        return model

    def features(self) -> Iterator[keras.layers.Layer]:
        """Yield the layers before the dense ones; none unless a subclass has some."""
        yield from ()

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return options with early stopping, if the configuration asks for it."""
        patience = checked_config(config, self.defaults)["early_stopping"]
        if patience is None:
            return FitOptions()
        import keras

        return FitOptions(callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=patience)])


def _hidden(units: int, chosen: Mapping[str, Any]) -> Iterator[keras.layers.Layer]:
    """Yield a dense layer, with its normalisation, activation and dropout."""
    import keras

    norm, strength = chosen["weight_constraint"], chosen["activity_regularisation"]
    kernel = {
        "kernel_regularizer": _regulariser(chosen["regulariser"], chosen["strength"]),
        "kernel_constraint": None if norm is None else keras.constraints.MaxNorm(norm),
    }
    active = {
        "activation": chosen["activation"],
        "activity_regularizer": _regulariser("l1" if strength else None, strength),
    }
    if chosen["batch_normalisation"]:
        yield keras.layers.Dense(units, use_bias=False, **kernel)
        yield keras.layers.BatchNormalization()
        yield keras.layers.Activation(**active)
    else:
        yield keras.layers.Dense(units, **active, **kernel)
    if chosen["dropout"]:
        yield keras.layers.Dropout(chosen["dropout"])


def _regulariser(name: str | None, strength: float) -> keras.regularizers.Regularizer | None:
    import keras

    return None if name is None else {"l1": keras.regularizers.L1, "l2": keras.regularizers.L2}[name](strength)


def _optimizer(chosen: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    import keras

    kind, coefficient = OPTIMIZERS[chosen["optimizer"]]
    given = {"learning_rate": chosen["learning_rate"]}
    if coefficient is not None:
        given[coefficient] = chosen["momentum"]
    return getattr(keras.optimizers, kind)(**{name: value for name, value in given.items() if value is not None})
