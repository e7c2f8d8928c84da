"""Fashion-MNIST: what to do without it, and what it is where it can be found."""

import functools

import keras
import numpy as np
import pytest
from official_data import keras_home

from trainables import InvalidData
from trainables.examples.fashion_mnist_cnn import FashionMnistCnn
from trainables.examples.fashion_mnist_data import CLASS_NAMES
from trainables.examples.fashion_mnist_mlp import FashionMnistMlp


def test_without_the_data_two_ways_out_are_told(monkeypatch):
    def fail():
        raise Exception("URL fetch failure on https://…:\n  no network")

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", fail)
    with pytest.raises(InvalidData) as caught:
        FashionMnistMlp.standalone().load_data()
    (problem,) = caught.value.problems
    assert "URL fetch failure on https://…: no network" in problem
    assert "set KERAS_HOME to a folder that holds datasets/fashion-mnist/" in problem
    assert "run it once on a machine with network" in problem


@pytest.mark.skipif(
    keras_home() is None, reason="Fashion-MNIST is neither in KERAS_HOME nor in ../shared/data/keras_home"
)
@pytest.mark.parametrize(("trainable", "held_out"), [(FashionMnistMlp, 6_000), (FashionMnistCnn, 12_000)])
def test_the_official_images_are_divided(monkeypatch, trainable, held_out):
    # Keras reads KERAS_HOME when it is imported: that may have been long ago.
    from_there = functools.partial(keras.utils.get_file, cache_dir=str(keras_home()))
    monkeypatch.setitem(keras.datasets.fashion_mnist.load_data.__globals__, "get_file", from_there)
    data = trainable.standalone().load_data()
    assert data.examples == {"train": 60_000 - held_out, "validation": held_out, "test": 10_000}
    assert data.class_names == CLASS_NAMES
    for x, y in (data.train, data.validation, data.test):
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
        counts = np.bincount(y)
        np.testing.assert_array_equal(counts, len(y) // 10)
