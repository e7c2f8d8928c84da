"""The work of the programs that train on a folder of images: the same networks, batches and epochs."""

from __future__ import annotations

from typing import Any

SIZE = (96, 96)
CLASSES = 6
BATCH_SIZE = 32
SHARE_TO_VALIDATE = 0.2


def build(config: dict[str, Any]) -> Any:
    """Return the compiled model of a configuration: three strided convolutions and a dense layer, on scaled images."""
    import keras

    layers: list[Any] = [keras.Input((*SIZE, 3)), keras.layers.Rescaling(1 / 255)]
    for filters in (8, 16, 32):
        layers.append(keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
    layers += [keras.layers.Flatten(), keras.layers.Dense(config["units"], activation="relu")]
    model = keras.Sequential([*layers, keras.layers.Dense(CLASSES, activation="softmax")])
    optimizer = keras.optimizers.Adam(config["learning_rate"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
