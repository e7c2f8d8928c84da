"""Rows that are put together anew: the same values as in memory, in a file where they are large."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from trainables import Data, split
from trainables.data import put_together
from trainables.data.put_together import in_order, one_after_the_other, take
from tune_jobs.evaluation.joining import joined

X = np.random.default_rng(0).random((500, 6, 4), np.float32)
TEXT = np.array([f"word {number}" for number in range(500)])
ROWS = np.random.default_rng(1).permutation(500)[:321]


@pytest.fixture(params=["memory", "file"])
def in_a_file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(put_together, "IN_A_FILE_BYTES", 0 if request.param == "file" else 2**40)
    monkeypatch.setattr(put_together, "_PIECE_BYTES", 1000)
    return bool(request.param == "file")


def own_pages_kib(array: np.ndarray) -> int:
    """Return the anonymous memory behind an array's pages."""
    address, own, inside = array.ctypes.data, 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if "-" in first and not first.endswith(":"):
            begin, end = (int(part, 16) for part in first.split("-"))
            inside = begin < address + array.nbytes and address < end
        elif inside and first == "Anonymous:":
            own += int(rest[0])
    return own


@pytest.mark.usefixtures("in_a_file")
@pytest.mark.parametrize(
    "array",
    [X, X > 0.5, X.astype(np.float16), X.astype(">f4"), X[::-1], X.transpose(0, 2, 1), TEXT, X[:, 0, 0], X[:0]],
    ids=["float32", "bool", "float16", "other byte order", "backwards", "transposed", "text", "strided", "empty"],
)
def test_same_values(array: np.ndarray) -> None:
    rows = ROWS if len(array) else np.array([], int)
    for made, right in (
        (take(array, rows), array[rows]),
        (one_after_the_other(array, array[:7]), np.concatenate([array, array[:7]])),
        (in_order(array), array),
    ):
        np.testing.assert_array_equal(made, right)
        assert made.flags.c_contiguous
        assert made.dtype.isnative


def test_files_take_no_memory(in_a_file: bool) -> None:
    large = np.zeros((4000, 1000), np.float32)
    large[:] = np.arange(1000)
    made = take(large, np.arange(3000))
    assert made.sum() == large[:3000].sum()
    assert (own_pages_kib(made) < 1000) == in_a_file
    made[0] = 1
    assert made[0, 5] == 1
    assert (take(large, np.arange(3000)).ctypes.data % 64 == 0) or not in_a_file


def test_structures_keep_their_form(in_a_file: bool) -> None:
    made = take({"a": X, "b": [X, (TEXT, X)]}, ROWS)
    assert made["a"] is made["b"][0] is made["b"][1][1], "an array that occurs twice is copied once"
    np.testing.assert_array_equal(made["b"][1][0], TEXT[ROWS])
    turned = {"b": X[:3], "a": TEXT[:3]}
    both = one_after_the_other({"a": TEXT, "b": X}, turned)
    assert list(both) == ["a", "b"]
    assert both["a"].tolist() == [*TEXT, *TEXT[:3]]
    assert in_a_file in (True, False)


def test_arrays_in_order_stay_what_they_are() -> None:
    arrays = {"x": X, "text": TEXT, "turned": X.transpose(0, 2, 1)}
    made = in_order(arrays)
    assert made["x"] is X
    assert made["text"] is TEXT
    np.testing.assert_array_equal(made["turned"], arrays["turned"])


def test_a_full_folder_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(put_together, "IN_A_FILE_BYTES", 0)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    np.testing.assert_array_equal(take(X, ROWS), X[ROWS])


@pytest.mark.usefixtures("in_a_file")
def test_parts_and_joined_splits_are_what_they_were() -> None:
    labels = np.arange(500) % 5
    data = Data(train=(X, labels), validation=(X[:100], labels[:100]))
    part = data.part(0.3)
    assert len(part.train[0]) == 150
    assert set(part.train[1]) == set(range(5))
    x, y = joined(part.train, part.validation)
    np.testing.assert_array_equal(x, np.concatenate([part.train[0], part.validation[0]]))
    np.testing.assert_array_equal(y, np.concatenate([part.train[1], part.validation[1]]))


@pytest.mark.usefixtures("in_a_file")
@pytest.mark.parametrize(
    "y",
    [
        np.arange(500) % 3,
        np.eye(12, dtype=np.float32)[np.arange(500) % 12],
        np.arange(1000).reshape(500, 2) % 3 - 1.5,
        np.arange(500) / 7,
        X,
        X[:, 0],
        np.array(["b", "a"] * 250),
    ],
    ids=["classes", "one-hot", "rows", "targets", "like x", "rows of targets", "text"],
)
def test_split_is_that_of_scikit_learn(y: np.ndarray) -> None:
    from sklearn.model_selection import train_test_split

    try:
        right = train_test_split(X, y, test_size=0.3, random_state=4, stratify=y)
    except ValueError:
        right = train_test_split(X, y, test_size=0.3, random_state=4)
    (x_kept, y_kept), (x_held_out, y_held_out) = split(X, y, 0.3, seed=4)
    for made, expected in zip((x_kept, x_held_out, y_kept, y_held_out), right, strict=True):
        np.testing.assert_array_equal(made, expected)


def test_split_of_lengths_that_differ_says_so() -> None:
    with pytest.raises(ValueError, match="equally many"):
        split(X, np.zeros(499), 0.3)
