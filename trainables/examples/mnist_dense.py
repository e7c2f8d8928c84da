"""Dense networks on MNIST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from trainables.data import Data
from trainables.examples import mnist_data
from trainables.examples.dense import Dense


class MnistDense(Dense):
    """A dense network: 50,000 images to train on, 10,000 for validation, the official 10,000 for the test.

    Attributes:
        held_out: The part of the official training images for validation.
    """

    input_shape = (28, 28)
    held_out: ClassVar[float] = 1 / 6
    defaults: ClassVar[Mapping[str, Any]] = {**Dense.defaults, "loss": "categorical_crossentropy"}

    def load_data(self) -> Data:
        """Return the images from the folder that MNIST_HOME names, or from Keras's loader, with one-hot labels."""
        return mnist_data.load(self.held_out)


class MnistMlp(MnistDense):
    """A dense network: 48,000 images to train on and 12,000 for validation."""

    held_out = 0.2
    batch_size = 128
