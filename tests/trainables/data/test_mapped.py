"""Mapped arrays: workers get the file's path, and map it themselves."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.tiny_trainables import Tiny
from trainables import Data, TrialSettings
from trainables.before_ray.sent_class import pack
from trainables.data.mapped import MappedArray, UnreadableFile, for_workers, mapped_array, opened
from trainables.worker import Worker

X = np.random.default_rng(0).random((64, 5, 16), np.float32)
Y = np.arange(64) % 3


@pytest.fixture
def x(tmp_path: Path) -> Any:
    np.save(tmp_path / "x.npy", X)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def travelled(data: Data) -> Data:
    """Return the data as a worker has it."""
    return opened(pickle.loads(pickle.dumps(for_workers(data), protocol=5)))  # noqa: S301


def test_a_mapped_array_travels_as_its_place(x: Any) -> None:
    sent = for_workers(Data(train=({"image": x}, Y), validation=(x[16:], Y[16:]), test=(x, Y)))
    assert isinstance(sent.train[0]["image"], MappedArray)
    assert sent.test is None
    assert len(pickle.dumps(sent)) < X.nbytes / 2


def test_the_worker_has_the_same_examples(x: Any) -> None:
    data = travelled(Data(train=({"image": x}, Y), validation=(x[16:48], Y[16:48])))
    np.testing.assert_array_equal(data.train[0]["image"], X)
    np.testing.assert_array_equal(data.train[1], Y)
    np.testing.assert_array_equal(data.validation[0], X[16:48])
    assert not data.train[0]["image"].flags.writeable


@pytest.mark.parametrize(
    "view", [lambda x: x[::2], lambda x: x.transpose(0, 2, 1), lambda x: x.reshape(-1)[3:-77].reshape(-1, 4)]
)
def test_views_that_cannot_be_shared_travel_as_arrays(view: Any, x: Any) -> None:
    assert mapped_array(view(x)) is None
    y = np.zeros(len(view(x)))
    data = travelled(Data(train=(view(x), y)))
    np.testing.assert_array_equal(data.train[0], view(X))
    assert type(data.train[0]) is np.ndarray


def test_views_that_lie_in_the_file(x: Any) -> None:
    for made, right in (
        (np.asarray(x)[4:], X[4:]),
        (x.reshape(64, 80), X.reshape(64, 80)),
        (x.view(np.uint8), X.view(np.uint8)),
    ):
        place = mapped_array(made)
        assert place is not None
        np.testing.assert_array_equal(place.open(), right)


def test_a_raw_file_with_a_header(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(b"h" * 16 + X.tobytes())
    mapped = np.memmap(path, np.float32, "r", 16, X.shape)
    np.testing.assert_array_equal(travelled(Data(train=(mapped, Y))).train[0], X)


def test_what_is_not_in_the_file_travels_as_it_is(tmp_path: Path, x: Any) -> None:
    changed = np.load(tmp_path / "x.npy", mmap_mode="c")
    changed[0] = 7
    assert (travelled(Data(train=(changed, Y))).train[0][0] == 7).all()
    (tmp_path / "x.npy").unlink()
    np.testing.assert_array_equal(travelled(Data(train=(x, Y))).train[0], X)


@pytest.mark.parametrize("problem", ["missing", "another size"])
def test_a_node_without_the_file_says_so_in_one_line(problem: str, tmp_path: Path, x: Any) -> None:
    sent = for_workers(Data(train=(x, Y)))
    (tmp_path / "x.npy").unlink()
    if problem == "another size":
        (tmp_path / "x.npy").write_bytes(b"short")
    with pytest.raises(UnreadableFile) as caught:
        opened(sent)
    worker = Worker(pack(Tiny), sent, TrialSettings("val_loss", "min", max_epochs=1))
    report = worker.train({})
    assert report["mistake"] == str(caught.value)
    assert report["done"] is True
    assert str(tmp_path / "x.npy") in report["mistake"]
    assert "The node " in report["mistake"]
    assert "\n" not in report["mistake"]
    worker.cleanup()
