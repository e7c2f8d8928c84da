"""Fashion-MNIST: what to do without it, how a cache of it is read, and what it is where it can be found."""

from __future__ import annotations

import functools
import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.official_data import keras_home
from trainables import InvalidData, KerasTrainable
from trainables.examples import keras_datasets
from trainables.examples.fashion_mnist_cnn import FashionMnistCnn
from trainables.examples.fashion_mnist_data import CLASS_NAMES
from trainables.examples.fashion_mnist_mlp import FashionMnistMlp


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """KERAS_HOME, with a few images of noise."""
    folder = tmp_path / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, count in (("train", 7), ("t10k", 3)):
        for name, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            header = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
            values = random.integers(0, 10, shape, np.uint8).tobytes()
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(header + values))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


def load() -> Any:
    return keras_datasets.load("fashion_mnist", "Fashion-MNIST", "look for it")


def test_a_cache_is_read_as_keras_reads_it(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Keras reads KERAS_HOME when it is imported: that may have been long ago.
    from_there = functools.partial(keras.utils.get_file, cache_dir=str(cache))
    monkeypatch.setitem(keras.datasets.fashion_mnist.load_data.__globals__, "get_file", from_there)
    for own, official in zip(load(), keras.datasets.fashion_mnist.load_data(), strict=True):
        for array, expected in zip(own, official, strict=True):
            np.testing.assert_array_equal(array, expected, strict=True)


def test_a_cache_is_read_without_keras(cache: Path) -> None:
    program = (
        "import sys; from trainables.examples import keras_datasets\n"
        "keras_datasets.load('fashion_mnist', 'Fashion-MNIST', '')\n"
        "print('keras' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"


def test_keras_is_asked_where_the_cache_is_damaged(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "datasets" / "fashion-mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"half of")
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: ("train", "test"))
    assert load() == ("train", "test")


def test_without_the_data_two_ways_out_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail() -> None:
        raise Exception("URL fetch failure on https://…:\n  no network")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
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
def test_the_official_images_are_divided(
    monkeypatch: pytest.MonkeyPatch, trainable: type[KerasTrainable], held_out: int
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(keras_home()))
    data = trainable.standalone().load_data()
    assert data.examples == {"train": 60_000 - held_out, "validation": held_out, "test": 10_000}
    assert data.class_names == CLASS_NAMES
    for x, y in (data.train, data.validation, data.test):
        assert x.dtype == np.float32
        assert (x.min(), x.max()) == (0, 1)
        counts = np.bincount(y)
        np.testing.assert_array_equal(counts, len(y) // 10)
