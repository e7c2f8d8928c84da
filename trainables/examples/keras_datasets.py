"""Data sets of images that Keras loads: from its cache, or by download."""

from __future__ import annotations

import numpy as np

from trainables.data import InvalidData

Examples = tuple[np.ndarray, np.ndarray]
"""Images, uint8, shape (examples, 28, 28), and labels, shape (examples,)."""


def load(module: str, name: str, remedy: str) -> tuple[Examples, Examples]:
    """The official training and test examples.

    Args:
        module: Keras's module of the data set: ``fashion_mnist``.
        name: What the data set is called.
        remedy: What to do, beside a download elsewhere, when there is neither a cache nor a network.

    Raises:
        InvalidData: They are neither in Keras's cache nor could they be downloaded.
    """
    import keras

    try:
        train, test = getattr(keras.datasets, module).load_data()
    except Exception as error:  # Keras raises bare Exceptions for a download that failed
        raise InvalidData(
            [
                f"{name} is neither in Keras's cache nor could it be downloaded ({' '.join(str(error).split())}). "
                f"Two ways out: {remedy}, or run it once on a machine with network access and copy its ~/.keras."
            ]
        ) from error
    return train, test


def scaled(images: np.ndarray) -> np.ndarray:
    """Pixels as float32 from 0 to 1."""
    return images.astype(np.float32) / 255
