"""A dense network on Fashion-MNIST."""

from __future__ import annotations

import numpy as np

from trainables.data import Data, InvalidData, split
from trainables.examples.mlp import Mlp

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


class FashionMnistMlp(Mlp):
    """70,000 images of 28 x 28 pixels in 10 classes (Xiao, Rasul, Vollgraf 2017), by Keras's own loader."""

    input_shape = (28, 28)

    def load_data(self) -> Data:
        """54,000 / 6,000 of the official training images, stratified; the official 10,000 for the test."""
        (images, labels), (test_images, test_labels) = _load()
        train, validation = split(images, labels, 0.1, seed=0)
        return Data(train, validation, (test_images, test_labels), CLASS_NAMES)


def _load() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    import keras

    try:
        splits = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # Keras raises bare Exceptions for a download that failed
        raise InvalidData(
            [
                "Fashion-MNIST is neither in Keras's cache nor could it be downloaded "
                f"({' '.join(str(error).split())}). Two ways out: set KERAS_HOME to a folder that holds "
                "datasets/fashion-mnist/ with the four original .gz files, or run it once on a machine with "
                "network access and copy its ~/.keras."
            ]
        ) from error
    return tuple((x.astype(np.float32) / 255, y.astype(np.int32)) for x, y in splits)  # type: ignore[return-value]
