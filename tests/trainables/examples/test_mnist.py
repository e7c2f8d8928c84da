"""MNIST: read from its original files, which may be damaged, or by Keras, which may fail."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tests.support.official_data import mnist_home
from trainables import InvalidData, KerasTrainable
from trainables.examples import idx, mnist_data
from trainables.examples.mnist_dense import MnistDense, MnistMlp

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def images(examples: int, size: int = 28) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (examples, size, size), np.uint8)


def labels(examples: int) -> np.ndarray:
    return (np.arange(examples) % 10).astype(np.uint8)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 60 examples to train on and 20 for the test."""
    for part, examples in (("train", 60), ("t10k", 20)):
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images(examples))))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels(examples))))
    monkeypatch.setenv("MNIST_HOME", str(tmp_path))
    return tmp_path


def refusal() -> str:
    with pytest.raises(InvalidData) as caught:
        mnist_data.load(0.5)
    return str(caught.value)


def test_the_original_files_are_read(home: Path) -> None:
    data = mnist_data.load(0.5)
    assert data.examples == {"train": 30, "validation": 30, "test": 20}
    assert data.class_names == tuple("0123456789")
    for x, y in (data.train, data.validation, data.test):
        assert (x.dtype, x.shape[1:]) == (np.float32, (28, 28))
        assert (y.dtype, y.shape[1:]) == (np.float32, (10,))
        assert 0 <= x.min() < x.max() <= 1
        np.testing.assert_array_equal(y.sum(axis=0), len(y) // 10)
    x, y = data.test
    np.testing.assert_array_equal(np.rint(x * 255), images(20))
    np.testing.assert_array_equal(y.argmax(axis=1), labels(20))


def test_every_file_that_is_missing_is_told(home: Path) -> None:
    (home / IMAGES).unlink()
    (home / "t10k-labels-idx1-ubyte.gz").unlink()
    assert refusal().splitlines() == [
        f"MNIST_HOME is {home}, but there is no train-images-idx3-ubyte.gz: copy it there.",
        f"MNIST_HOME is {home}, but there is no t10k-labels-idx1-ubyte.gz: copy it there.",
    ]


@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        (b"", "begins with , but must be with 00000803"),
        (idx_bytes(images(60))[:-1], "47055 bytes, uncompressed, but must be 47056 for an array of (60, 28, 28)"),
        (idx_bytes(images(60)) + b"x", "47057 bytes"),
        (idx_bytes(images(60))[:9], "9 bytes"),
        (idx_bytes(labels(60)), "begins with 00000801, but must be with 00000803"),
        (b"\x00\x00\x0d\x03" + idx_bytes(images(60))[4:], "begins with 00000d03"),
        (idx_bytes(images(59)), "(59, 28, 28), but must have (60, 28, 28)"),
        (idx_bytes(images(60, size=27)), "(60, 27, 27), but must have (60, 28, 28)"),
    ],
)
def test_damaged_images_are_refused(home: Path, damaged: bytes, told: str) -> None:
    (home / IMAGES).write_bytes(gzip.compress(damaged))
    assert told in refusal()
    assert "copy the original" in refusal()


def test_an_unknown_label_is_refused(home: Path) -> None:
    (home / LABELS).write_bytes(gzip.compress(idx_bytes(labels(60) + np.uint8(1))))
    assert "is 10, but must be from 0 to 9" in refusal()


@pytest.mark.parametrize("length", [0, 5, 20, -9])
def test_a_file_that_was_not_copied_whole_is_refused(home: Path, length: int) -> None:
    path = home / IMAGES
    path.write_bytes(path.read_bytes()[:length])
    assert f"{path} " in refusal()


@given(shape=st.lists(st.integers(0, 5), min_size=1, max_size=3), seed=st.integers(0, 9))
@with_examples(30)
def test_an_array_comes_back_from_its_file(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], seed: int
) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    path = tmp_path_factory.getbasetemp() / "array.gz"
    path.write_bytes(gzip.compress(idx_bytes(array)))
    np.testing.assert_array_equal(idx.read(path, array.ndim), array, strict=True)


def test_without_a_folder_keras_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_data() -> Any:
        return (images(60), labels(60)), (images(20), labels(20))

    monkeypatch.delenv("MNIST_HOME", raising=False)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", load_data)
    assert mnist_data.load(0.5).examples == {"train": 30, "validation": 30, "test": 20}


def test_without_the_data_two_ways_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise Exception("no\nnetwork")

    monkeypatch.delenv("MNIST_HOME", raising=False)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    told = refusal()
    assert "MNIST is neither in Keras's cache nor could it be downloaded (no network)" in told
    assert "set MNIST_HOME to a folder that holds the four original files" in told
    assert "run it once on a machine with network access" in told


@pytest.mark.skipif(mnist_home() is None, reason="MNIST is neither in MNIST_HOME nor in ../shared/data/mnist")
@pytest.mark.parametrize(("trainable", "held_out"), [(MnistDense, 10_000), (MnistMlp, 12_000)])
def test_the_official_images_are_divided(
    monkeypatch: pytest.MonkeyPatch, trainable: type[KerasTrainable], held_out: int
) -> None:
    monkeypatch.setenv("MNIST_HOME", str(mnist_home()))
    data = trainable.standalone().load_data()
    assert data.examples == {"train": 60_000 - held_out, "validation": held_out, "test": 10_000}
    train, validation, test = (y.mean(axis=0) for _, y in (data.train, data.validation, data.test))
    np.testing.assert_allclose(train, validation, atol=1e-4)
    np.testing.assert_array_equal(np.rint(test * 10_000), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
