"""Fashion-MNIST: 70,000 images of 28 x 28 pixels in 10 classes (Xiao, Rasul and Vollgraf 2017)."""

from __future__ import annotations

import numpy as np

from trainables.data import Data, split
from trainables.examples import keras_datasets

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
_REMEDY = "set KERAS_HOME to a folder that holds datasets/fashion-mnist/ with the four original .gz files"


def load(held_out: float, seed: int = 0) -> Data:
    """Return the official 60,000, divided into training and validation by class, and the official 10,000 for the test.

    Args:
        held_out: The part of the 60,000 for validation.
        seed: The seed of the division.

    Returns:
        Images as float32 from 0 to 1, labels as integers.

    Raises:
        InvalidData: There are no images; the message says what to do about it.
    """
    official = keras_datasets.load("fashion_mnist", "Fashion-MNIST", _REMEDY)
    (images, labels), test = ((keras_datasets.scaled(x), y.astype(np.int32)) for x, y in official)
    train, validation = split(images, labels, held_out, seed=seed)
    return Data(train, validation, test, CLASS_NAMES)
