"""Fashion-MNIST: what to do without it, and what it is where it can be found."""

import functools
import os
from pathlib import Path

import keras
import numpy as np
import pytest

from trainables import InvalidData
from trainables.examples.fashion_mnist_mlp import CLASS_NAMES, FashionMnistMlp

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "data" / "keras_home"


def keras_home() -> Path | None:
    candidates = [Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser(), BESIDE_THE_CHECKOUT]
    found = [home for home in candidates if len([*home.glob("datasets/fashion-mnist/*-ubyte.gz")]) == 4]
    return found[0] if found else None


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
def test_the_official_images_are_divided(monkeypatch):
    # Keras reads KERAS_HOME when it is imported: that may have been long ago.
    from_there = functools.partial(keras.utils.get_file, cache_dir=str(keras_home()))
    monkeypatch.setitem(keras.datasets.fashion_mnist.load_data.__globals__, "get_file", from_there)
    data = FashionMnistMlp.standalone().load_data()
    assert data.examples == {"train": 54_000, "validation": 6_000, "test": 10_000}
    assert data.class_names == CLASS_NAMES
    for x, y in (data.train, data.validation, data.test):
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
        counts = np.bincount(y)
        np.testing.assert_array_equal(counts, len(y) // 10)
