"""A small convolutional network on Fashion-MNIST."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from trainables.data import Data
from trainables.examples import fashion_mnist_data
from trainables.examples.dense import Dense

if TYPE_CHECKING:
    import keras


class FashionMnistCnn(Dense):
    """Two convolutions before the dense layers; 48,000 images to train on and 12,000 for validation."""

    input_shape = (28, 28)
    batch_size = 128
    filters = (16, 32)
    defaults: ClassVar[Mapping[str, Any]] = {**Dense.defaults, "early_stopping": 3}

    def load_data(self) -> Data:
        """Return the official training images divided 80 / 20 with seed 42, and the official 10,000 for the test."""
        return fashion_mnist_data.load(0.2, seed=42)

    def features(self) -> Iterator[keras.layers.Layer]:
        """Yield 3 x 3 convolutions with ReLU, each followed by a pooling by 2."""
        import keras

        yield keras.layers.Reshape((*self.input_shape, 1))
        for filters in self.filters:
            yield keras.layers.Conv2D(filters, 3, activation="relu")
            yield keras.layers.MaxPooling2D()
