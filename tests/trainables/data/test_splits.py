"""Data: every mistake is found at once, and a split divides without losing or repeating an example."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from trainables import Data, InvalidData, split

X = np.zeros((6, 2), np.float32)
Y = np.arange(6)


def problems(**splits: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidData) as caught:
        Data(**splits)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_valid_data_counts_its_examples() -> None:
    data = Data(train=(X, Y), validation=(X[:2], Y[:2], np.ones(2)))
    assert data.examples == {"train": 6, "validation": 2}


def test_several_inputs_and_outputs_are_valid() -> None:
    data = Data(train=({"image": X, "size": (Y, Y)}, [Y, Y]))
    assert data.examples == {"train": 6}


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ((X, Y[:4]), "Data.train have 6, 4 examples"),
        (({"a": X, "b": X[:5]}, Y), "Data.train have 6, 5, 6 examples"),
        ((X, Y, np.ones(5)), "Data.train have 6, 6, 5 examples"),
        ((X[:0], Y[:0]), "Data.train has no examples"),
        ((X, Y.tolist()), "Data.train holds a int, but must hold NumPy arrays"),
        ((X, np.array(["a", None] * 3, dtype=object)), "Data.train holds a ndarray, but must hold NumPy arrays"),
        ((X, np.int64(3)), "must hold NumPy arrays"),
        ((tf.RaggedTensor.from_row_lengths([1, 2, 3], [1, 2] + [0] * 4), Y), "give tf.data.Dataset.from_tensor_slices"),
        ((np.zeros(6, "datetime64[D]"), Y), "holds an array of datetime64[D], but must hold"),
        ((X, np.array(3)), "Data.train holds a single number"),
        ([X, Y], "Data.train is a list of 2, but must be a tuple"),
        ((X,), "Data.train is a tuple of 1, but must be a tuple"),
        (X, "Data.train is a ndarray, but must be a tuple"),
        (None, "Data.train is a NoneType, but must be a tuple"),
    ],
)
def test_a_mistake_is_told_with_its_split_and_its_remedy(train: Any, expected: str) -> None:
    (problem,) = problems(train=train)
    assert expected in problem


def test_tensors_are_arrays() -> None:
    torch = pytest.importorskip("torch")
    words = tf.constant([["grün"], ["red"]] * 3)
    data = Data(train=({"words": words, "x": tf.constant(X)}, torch.from_numpy(Y)))
    assert data.train[0]["words"].tolist() == [["grün"], ["red"]] * 3
    np.testing.assert_array_equal(data.train[0]["x"], X)
    assert isinstance(data.train[1], np.ndarray)


@pytest.mark.parametrize("empty", [((), Y), ({}, Y), (X, ())])
def test_a_split_without_arrays_is_a_mistake(empty: Any) -> None:
    (problem,) = problems(train=empty)
    assert "Data.train has a part without any array" in problem


def test_all_mistakes_are_reported_at_once() -> None:
    found = problems(train=(X, np.full(4, np.nan)), validation=(X[:0], Y[:0]), test=[X, Y])
    assert [problem.split("Data.")[1].split()[0] for problem in found] == ["train", "validation", "test"]


def test_missing_inputs_are_allowed_and_labels_too_for_a_loss_that_passes_over_them() -> None:
    assert Data(train=(np.full((6, 2), np.nan), np.full(6, np.nan))).examples == {"train": 6}


def test_the_error_survives_the_way_between_processes() -> None:
    error = InvalidData(["one", "two"])
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301 - written above
    assert copied.problems == ("one", "two")
    assert str(copied) == str(error)


def test_split_keeps_every_example_once_and_its_label() -> None:
    x = np.arange(100)[:, None]
    (x_kept, y_kept), (x_held_out, y_held_out) = split(x, x[:, 0] % 4, 0.2, seed=1)
    assert len(x_held_out) == 20
    assert sorted([*x_kept[:, 0], *x_held_out[:, 0]]) == list(range(100))
    np.testing.assert_array_equal(y_kept, x_kept[:, 0] % 4)
    np.testing.assert_array_equal(y_held_out, x_held_out[:, 0] % 4)


def test_split_divides_each_class_alike() -> None:
    y = np.repeat([0, 1], [80, 20])
    _, (_, held_out) = split(np.arange(100), y, 0.1, seed=0)
    np.testing.assert_array_equal(np.bincount(held_out), [8, 2])


def test_split_without_stratification_takes_any_target() -> None:
    _, (_, held_out) = split(np.arange(10), np.linspace(0, 1, 10), 0.3, stratify=False)
    assert len(held_out) == 3


def test_split_depends_on_its_seed_only() -> None:
    x, y = np.arange(60), np.arange(60) % 3
    (first, _), _ = split(x, y, 0.5, seed=1)
    (again, _), _ = split(x, y, 0.5, seed=1)
    (other, _), _ = split(x, y, 0.5, seed=2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "y",
    [np.linspace(0, 1, 100), np.linspace(0, 1, 200).reshape(100, 2), np.zeros((100, 2, 2)), np.arange(100) // 99],
    ids=["continuous", "two targets", "images", "one example of a class"],
)
def test_split_draws_plainly_where_stratifying_makes_no_sense(y: np.ndarray) -> None:
    x = np.arange(100)
    train, validation = split(x, y, 0.2)
    assert (len(train[0]), len(validation[0])) == (80, 20)
    for kept, labels in (train, validation):
        np.testing.assert_array_equal(y[kept], labels)
    plain, _ = split(x, y, 0.2, stratify=False)
    np.testing.assert_array_equal(train[0], plain[0])


@pytest.mark.parametrize("fraction", [0, 1, 2, -0.1, 1.5, float("nan"), "x", None, np.zeros(3), 10**400])
def test_split_tells_of_a_wrong_fraction(fraction: Any) -> None:
    with pytest.raises(InvalidData, match=r"The value of `fraction` is .*, but must be between 0 and 1"):
        split(np.zeros((10, 2)), np.zeros(10), fraction)


def test_split_tells_all_mistakes_at_once() -> None:
    with pytest.raises(InvalidData) as caught:
        split(np.zeros((10, 2)), np.zeros(9), 2, seed=-1)
    assert [problem.split(" ")[0] for problem in caught.value.problems] == ["The", "The", "The"]
    assert caught.value.problems[0] == "The arrays of x and y have 10, 9 examples, but must have equally many."


@pytest.mark.parametrize("x", [1.0, None, "text", np.float64(1), object()])
def test_split_takes_arrays_only(x: Any) -> None:
    with pytest.raises(InvalidData, match="x and y must be arrays of examples"):
        split(x, np.zeros(10), 0.5)


def test_split_divides_several_inputs_and_frames_together() -> None:
    numbers, y = np.arange(20), np.arange(20) % 2
    plain = split(numbers, y, 0.25)
    for x in ([numbers, -numbers], (numbers, -numbers), {"a": numbers, "b": -numbers}):
        (kept, kept_y), (held_out, held_out_y) = split(x, y, 0.25)
        assert type(kept) is type(held_out) is type(x)
        for part, labels, expected in ((kept, kept_y, plain[0]), (held_out, held_out_y, plain[1])):
            first, second = part.values() if isinstance(part, dict) else part
            assert np.array_equal(first, expected[0])
            assert np.array_equal(second, -expected[0])
            assert np.array_equal(labels, expected[1])
    frame = pd.DataFrame({"a": numbers}, index=numbers[::-1])
    (kept, _), _ = split(frame, y, 0.25)
    assert kept["a"].tolist() == plain[0][0].tolist()


def test_data_that_is_nested_without_end() -> None:
    deep: Any = np.zeros(3)
    for _ in range(2000):
        deep = [deep]
    with pytest.raises(InvalidData, match="nested too deeply"):
        Data(train=(deep, np.zeros(3)))


def test_a_frame_is_a_dict_of_its_columns() -> None:
    frame = pd.DataFrame({"age": np.arange(6, dtype=np.int16), "height": np.zeros(6, np.float32), "city": ["Oslo"] * 6})
    frame["kind"] = frame["city"].astype("category")
    data = Data(train=(frame[:4], pd.DataFrame({"y": range(4)})), validation=(frame[4:], pd.Series([0.5, 1.5])))
    assert {name: column.dtype.kind for name, column in data.train[0].items()} == {
        "age": "i",
        "height": "f",
        "city": "U",
        "kind": "U",
    }
    assert data.train[0]["age"].dtype == np.int16
    assert data.train[1].tolist() == [0, 1, 2, 3]
    assert data.validation is not None
    assert data.validation[1].tolist() == [0.5, 1.5]
    assert data.part(0.5).examples == {"train": 2, "validation": 1}


def test_words_are_arrays_of_strings() -> None:
    data = Data(train=({"city": np.array(["Oslo"] * 6, dtype=object), "age": X}, Y))
    assert data.train[0]["city"].dtype.kind == "U"
    (problem,) = problems(train=(pd.DataFrame({"city": ["Oslo", None]}), Y[:2]))
    assert "must hold NumPy arrays of numbers or of strings" in problem


def test_a_frame_is_a_split_if_its_labels_are_named() -> None:
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0], "word": ["a", "b", "c"], "sick": [0, 1, 0]})
    data = Data(train=frame, label="sick")
    assert set(data.train[0]) == {"age", "word"}
    assert data.train[0]["age"].dtype == np.float64
    assert data.train[1].tolist() == [0, 1, 0]
    assert Data(train=frame[["age", "sick"]], label="sick").train[0].tolist() == [1.0, 2.0, 3.0]
    (problem,) = problems(train=frame, label="ill")
    assert "Data.train has no column 'ill', which Data.label names: its columns are age, word, sick" in problem
    assert "unless Data(label=…) names its column of labels" in problems(train=frame)[0]


def test_a_function_is_applied_to_every_split_that_there_is() -> None:
    data = Data(train=(X, Y), test=(X, Y)).map(lambda split: (split[0] + 1, split[1]))
    assert data.validation is None
    assert data.train[0][0, 0] == data.test[0][0, 0] == 1


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ((number for number in range(3)), "give the function that returns the generator, which can be read once only"),
        (lambda path: path, "is a function that needs arguments, but it is called without any"),
        (tf.data.Dataset.range(0), "is a tf.data.Dataset without any batch"),
        (
            tf.data.Dataset.from_tensors((1, 2, 3, 4)),
            "yields 4 parts, but must yield x, (x, y) or",
        ),
        ([tf.data.Dataset.range(2)] * 2, '`subset="both"` of Keras gives two, for train and for validation'),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(split: Any, expected: str) -> None:
    assert expected in problems(train=split)[0]


def test_batches_in_one_split_and_single_examples_in_another_are_refused() -> None:
    single = tf.data.Dataset.from_tensor_slices((X, Y))
    assert problems(train=single.batch(2), validation=single) == (
        "Data.train is batched, and Data.validation is not: batch both, or neither (a configuration's `batch_size` "
        "batches what is not).",
    )
    assert "Data.test is batched, and Data.train is not" in problems(train=single, test=single.batch(2))[0]


def test_a_source_has_no_number_of_examples_and_no_part_if_it_has_no_end() -> None:
    endless = tf.data.Dataset.from_tensor_slices((X, Y)).repeat()
    assert Data(train=endless, validation=(X, Y)).examples == {"train": None, "validation": 6}
    with pytest.raises(InvalidData, match=r"lower FitOptions\.steps_per_epoch instead"):
        Data(train=endless).part(0.5)


def test_split_builds_no_array_of_what_is_none() -> None:
    with pytest.raises(InvalidData, match="x and y must be arrays of examples"):
        split(range(10**9), np.zeros(10), 0.5)
