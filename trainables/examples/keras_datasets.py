"""Data sets of images that Keras loads from its cache, or downloads.

Idx files in the cache are read without Keras: the driver of a run has no other use for Keras, and importing it takes
seconds.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from trainables.data import InvalidData
from trainables.examples import idx

Examples = tuple[np.ndarray, np.ndarray]
"""Images, uint8 of shape (examples, 28, 28), and labels, of shape (examples,)."""

_FOLDERS = {"fashion_mnist": "fashion-mnist"}
"""The modules of Keras that cache idx files, and the folders of these files."""


def load(module: str, name: str, remedy: str) -> tuple[Examples, Examples]:
    """Return the official training and test examples.

    Args:
        module: Keras's module of the data set: ``fashion_mnist``.
        name: The name of the data set, for messages.
        remedy: What to do, beside a download elsewhere, if there is neither a cache nor a network.

    Raises:
        InvalidData: The data set is not in Keras's cache and could not be downloaded.
    """
    if (official := _cached(module)) is not None:
        return official
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


def _cached(module: str) -> tuple[Examples, Examples] | None:
    """Return the examples in Keras's cache, or None if Keras has to load them."""
    if module not in _FOLDERS:
        return None
    try:
        home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    except RuntimeError:  # no home is known
        return None
    folder = home / "datasets" / _FOLDERS[module]
    try:
        train, test = (
            (idx.read(folder / f"{part}-images-idx3-ubyte.gz", 3), idx.read(folder / f"{part}-labels-idx1-ubyte.gz", 1))
            for part in ("train", "t10k")
        )
    except InvalidData:
        return None
    return train, test


def scaled(images: np.ndarray) -> np.ndarray:
    """Return the pixels as float32 from 0 to 1."""
    return images.astype(np.float32) / 255
