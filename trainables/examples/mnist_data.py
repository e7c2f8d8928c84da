"""MNIST: 70,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes and Burges)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from trainables.data import Data, InvalidData, split
from trainables.examples import idx, keras_datasets
from trainables.examples.keras_datasets import Examples

HOME_VARIABLE = "MNIST_HOME"
CLASSES = 10
_PARTS = ("train", "t10k")
_REMEDY = (
    f"set {HOME_VARIABLE} to a folder that holds the four original files (train-images-idx3-ubyte.gz, "
    "train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz)"
)


def load(held_out: float, seed: int = 0) -> Data:
    """Return the official 60,000, divided into training and validation by class, and the official 10,000 for the test.

    They are read from the folder that the environment variable MNIST_HOME names or, without it, by Keras's loader.

    Args:
        held_out: The part of the 60,000 for validation.
        seed: The seed of the division.

    Returns:
        Images as float32 from 0 to 1, labels as one-hot float32, so that every loss of Keras can be chosen.

    Raises:
        InvalidData: There are no images, or they are damaged; the message says what to do about it.
    """
    home = os.environ.get(HOME_VARIABLE)
    official = _from_folder(Path(home).expanduser()) if home else keras_datasets.load("mnist", "MNIST", _REMEDY)
    (images, labels), test = ((keras_datasets.scaled(x), y) for x, y in official)
    train, validation = split(images, labels, held_out, seed=seed)
    return Data(_one_hot(train), _one_hot(validation), _one_hot(test), tuple(map(str, range(CLASSES))))


def _from_folder(home: Path) -> tuple[Examples, Examples]:
    problems: list[str] = []
    for part in _PARTS:
        for name in (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"):
            if not (home / name).is_file():
                problems.append(f"{HOME_VARIABLE} is {home}, but there is no {name}: copy it there.")
    if problems:
        raise InvalidData(problems)
    train, test = (_examples(home, part) for part in _PARTS)
    return train, test


def _examples(home: Path, part: str) -> Examples:
    images = idx.read(home / f"{part}-images-idx3-ubyte.gz", 3)
    labels = idx.read(home / f"{part}-labels-idx1-ubyte.gz", 1)
    if images.shape != (len(labels), 28, 28):
        raise InvalidData(
            [
                f"The images of {home}/{part}-… have the shape {images.shape}, but must have ({len(labels)}, 28, 28), "
                "one for each label: copy the originals again."
            ]
        )
    if len(labels) and labels.max() >= CLASSES:
        raise InvalidData([f"A label of {home}/{part}-… is {labels.max()}, but must be from 0 to 9: copy it again."])
    return images, labels


def _one_hot(examples: Examples) -> Examples:
    images, labels = examples
    return images, np.eye(CLASSES, dtype=np.float32)[labels]
