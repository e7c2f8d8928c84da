"""A dense network on Fashion-MNIST."""

from __future__ import annotations

from trainables.data import Data
from trainables.examples import fashion_mnist_data
from trainables.examples.dense import Dense


class FashionMnistMlp(Dense):
    """A dense network: 54,000 images to train on, 6,000 for validation, the official 10,000 for the test."""

    input_shape = (28, 28)

    def load_data(self) -> Data:
        """Return the images that Keras's own loader reads."""
        return fashion_mnist_data.load(0.1)
