"""A dense network on scikit-learn's handwritten digits."""

from __future__ import annotations

import numpy as np

from trainables.data import Data, split
from trainables.examples.dense import Dense


class DigitsMlp(Dense):
    """A dense network on 1,797 images of 8 x 8 pixels in 10 classes.

    The images come with scikit-learn, so nothing is downloaded.
    """

    input_shape = (64,)

    def load_data(self) -> Data:
        """Return a stratified 60 / 20 / 20 split, with pixels scaled to 0..1."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = digits.data.astype(np.float32) / 16
        labels = digits.target.astype(np.int32)
        rest, test = split(images, labels, 0.2, seed=0)
        train, validation = split(*rest, 0.25, seed=0)
        return Data(train, validation, test, class_names=tuple(map(str, digits.target_names)))
