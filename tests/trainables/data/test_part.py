"""A part of the data: of each class its share, in the old order, the same for whoever asks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from trainables import Data

FRACTIONS = st.floats(0, 1, exclude_min=True)


@st.composite
def classes(draw: st.DrawFn) -> np.ndarray:
    """The class of each example: at least two examples a class on average, some classes with one only."""
    sizes = draw(
        st.lists(st.integers(1, 30), min_size=1, max_size=8).filter(lambda sizes: sum(sizes) >= 2 * len(sizes))
    )
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(labels)


def as_labels(drawn: np.ndarray, form: str) -> np.ndarray:
    if form == "one-hot":
        return np.eye(max(2, drawn.max() + 1), dtype=np.float32)[drawn]
    return {"flat": drawn, "column": drawn[:, None], "unsigned": drawn.astype(np.uint8), "floats": drawn * 1.0}[form]


def numbered(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Examples whose input is their place."""
    return np.arange(len(y))[:, None], y


def places(data: Data) -> np.ndarray:
    return data.train[0][:, 0]


@with_examples(150)
@given(classes(), FRACTIONS, st.sampled_from(["flat", "column", "unsigned", "floats", "one-hot"]))
def test_each_class_has_its_share_and_at_least_one_example(drawn: np.ndarray, fraction: float, form: str) -> None:
    part = Data(numbered(as_labels(drawn, form))).part(fraction)
    kept = np.bincount(drawn[places(part)], minlength=drawn.max() + 1)
    there = np.bincount(drawn)
    count = max(1, round(fraction * len(drawn)))
    share = there * count / len(drawn)
    assert (kept[there > 0] >= 1).all()
    assert (kept >= np.floor(share)).all()
    assert (kept <= np.maximum(1, np.ceil(share))).all()
    assert count <= kept.sum() <= count + (there > 0).sum()


@with_examples(100)
@given(classes(), FRACTIONS)
def test_examples_keep_their_order_their_labels_and_their_weights(drawn: np.ndarray, fraction: float) -> None:
    x, y = numbered(drawn)
    data = Data(({"a": x, "b": [x, (x * 2,)]}, y, x[:, 0] / 7))
    x_part, y_part, weights = data.part(fraction).train
    found = x_part["a"][:, 0]
    assert (np.diff(found) > 0).all()
    np.testing.assert_array_equal(x_part["b"][0], x_part["a"])
    np.testing.assert_array_equal(x_part["b"][1][0], 2 * x_part["a"])
    np.testing.assert_array_equal(y_part, y[found])
    np.testing.assert_array_equal(weights, found / 7)


@with_examples(100)
@given(st.integers(1, 200), FRACTIONS)
def test_what_has_no_classes_is_drawn_at_random_to_the_very_number(examples: int, fraction: float) -> None:
    part = Data(numbered(np.linspace(-1.5, 1.2, examples))).part(fraction)
    assert len(places(part)) == max(1, round(fraction * examples))


@pytest.mark.parametrize(
    "y",
    [
        np.random.default_rng(0).permutation(1000),  # every number once: quantities, not classes
        np.random.default_rng(0).normal(size=(1000, 3)),
        np.random.default_rng(0).integers(0, 2, (1000, 3)),  # several labels an example
        np.zeros((1000, 4, 4), np.int64),
        [np.arange(1000) % 3, np.arange(1000) % 2],
        np.arange(1000) % 3 + 0.5,
    ],
    ids=["unique", "vectors", "many-hot", "images", "outputs", "fractions"],
)
def test_labels_that_are_no_classes_bind_nothing(y: Any) -> None:
    part = Data((np.arange(1000)[:, None], y)).part(0.1)
    assert len(places(part)) == 100


def test_the_test_examples_stay_whole_and_the_rest_does_not() -> None:
    x, y = numbered(np.arange(100) % 4)
    names = ("a", "b", "c", "d")
    part = Data((x, y), (x[:40], y[:40]), (x, y), names).part(0.2)
    assert part.examples == {"train": 20, "validation": 8, "test": 100}
    assert part.class_names == names


def test_data_needs_no_other_split() -> None:
    assert Data(numbered(np.arange(100) % 4)).part(0.2).examples == {"train": 20}


def test_everybody_gets_the_same_examples_and_not_simply_the_first() -> None:
    data = Data(numbered(np.arange(1000) % 4))
    first = places(data.part(0.1))
    np.testing.assert_array_equal(first, places(data.part(0.1)))
    assert first.max() > 900
    assert not np.array_equal(first, np.arange(0, 1000, 10))


def test_all_of_it_is_the_data_itself() -> None:
    data = Data(numbered(np.arange(6)))
    assert data.part(1) is data


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01, float("nan"), float("inf")])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match=r"`fraction` is .*must be in \(0, 1\]"):
        Data(numbered(np.arange(6))).part(fraction)
