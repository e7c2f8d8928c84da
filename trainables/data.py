"""The data of a run: splits that are checked once and shared by all its trials without copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Arrays = Any
"""An array, or a tuple, list or dict of arrays (a model with several inputs or outputs)."""

Split = tuple[Arrays, ...]
"""(x, y) or (x, y, sample_weight): examples run along the first axis of every array."""

_PART_SEED = 0  # whatever the run's seed is: runs of one fraction can only be compared if they see the same examples


class InvalidData(ValueError):  # noqa: N818 - it tells of the data, not of a failure
    """The data cannot be trained on; ``problems`` lists every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self.problems),)


@dataclass(frozen=True)
class Data:
    """Training, validation and test examples. Checked at birth.

    Attributes:
        train: (x, y) or (x, y, sample_weight) to fit on.
        validation: The same, for the objective; without it the model reports no ``val_…`` metric.
        test: The same; no searcher, scheduler or callback ever sees it.
        class_names: Names of the classes 0, 1, …, for reports.

    Raises:
        InvalidData: Splits of the wrong form, arrays of unequal length, empty splits, labels with NaN.
    """

    train: Split
    validation: Split | None = None
    test: Split | None = None
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        given = {name: split for name, split in splits.items() if split is not None or name == "train"}
        problems = [problem for name, split in given.items() for problem in _split_problems(name, split)]
        if problems:
            raise InvalidData(problems)

    @property
    def examples(self) -> dict[str, int]:
        """How many examples each split has."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: length(split) for name, split in splits.items() if split is not None}

    def part(self, fraction: float) -> Data:
        """A part of the training and of the validation examples, in their order; the test examples stay whole.

        Which examples is a function of the data and the fraction alone. Where the labels are classes (one array of
        whole numbers, of shape (examples,) or (examples, 1), or of one-hot rows), each has its share, and at
        least one example. More different numbers than half of the examples are quantities, not classes.

        Args:
            fraction: The part, in (0, 1]; at least one example is left of each split.

        Raises:
            ValueError: The fraction is outside of (0, 1].
        """
        if not 0 < fraction <= 1:
            raise ValueError(f"The value of `fraction` is {fraction!r}, but must be in (0, 1].")
        if fraction == 1:
            return self
        validation = self.validation and _part(self.validation, fraction)
        return replace(self, train=_part(self.train, fraction), validation=validation)


def leaves(arrays: Arrays) -> Iterator[np.ndarray]:
    """Every array of a nested structure, in order."""
    if isinstance(arrays, Mapping):
        for value in arrays.values():
            yield from leaves(value)
    elif isinstance(arrays, tuple | list):
        for value in arrays:
            yield from leaves(value)
    else:
        yield arrays


def length(arrays: Arrays) -> int:
    """The number of examples."""
    return len(next(leaves(arrays)))


def are_one_hot(labels: np.ndarray) -> bool:
    """Whether each row of labels, of shape (examples, classes), is a single 1 among zeros."""
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def split(
    x: np.ndarray, y: np.ndarray, fraction: float, *, seed: int = 0, stratify: bool = True
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Divides examples at random.

    Args:
        x: Inputs, shape (examples, …).
        y: Labels, shape (examples, …).
        fraction: The part of the examples that the second result gets, in (0, 1).
        seed: Seed of the division.
        stratify: Whether each class is divided alike (y holds class labels).

    Returns:
        (x, y) of the larger part and (x, y) of the part held out.
    """
    from sklearn.model_selection import train_test_split

    parts = train_test_split(x, y, test_size=fraction, random_state=seed, stratify=y if stratify else None)
    x_kept, x_held_out, y_kept, y_held_out = parts
    return (x_kept, y_kept), (x_held_out, y_held_out)


def _part(split: Split, fraction: float) -> Split:
    examples = length(split)
    classes = _classes(split[1])
    everyone = np.zeros(examples, np.int64)
    places = _chosen(everyone if classes is None else classes, max(1, round(fraction * examples)))
    return tuple(_taken(arrays, places) for arrays in split)


def _chosen(classes: np.ndarray, count: int) -> np.ndarray:
    """The places of so many examples, ascending: of each class its share, rounded up or down, but at least one.

    Systematic sampling (Madow and Madow 1944): evenly spaced in the examples ordered by class, at random within.
    """
    order = np.lexsort((np.random.default_rng(_PART_SEED).random(len(classes)), classes))
    chosen = order[np.arange(count) * len(order) // count]
    present, first = np.unique(classes[order], return_index=True)
    missing = ~np.isin(present, classes[chosen])
    return np.sort(np.concatenate([chosen, order[first[missing]]]))


def _classes(y: Arrays) -> np.ndarray | None:
    """The class of each example; None where the labels are no classes."""
    labels, *others = leaves(y)
    if others or labels.dtype.kind not in "biuf":
        return None
    if labels.ndim == 2:
        labels = labels[:, 0] if labels.shape[1] == 1 else _from_one_hot(labels)
    if labels.ndim != 1 or (labels != np.trunc(labels)).any() or 2 * len(np.unique(labels)) > len(labels):
        return None
    return labels


def _from_one_hot(labels: np.ndarray) -> np.ndarray:
    """The place of the one in each row; the labels as they are where they are not one-hot."""
    return labels.argmax(axis=1) if are_one_hot(labels) else labels


def _taken(arrays: Arrays, places: np.ndarray) -> Arrays:
    if isinstance(arrays, Mapping):
        return {name: _taken(value, places) for name, value in arrays.items()}
    if isinstance(arrays, list):
        return [_taken(value, places) for value in arrays]
    if isinstance(arrays, tuple):
        return tuple(_taken(value, places) for value in arrays)
    return arrays[places]


def _split_problems(name: str, split: Any) -> list[str]:
    if not isinstance(split, tuple) or len(split) not in (2, 3):
        return [f"Data.{name} is {_describe(split)}, but must be a tuple (x, y) or (x, y, sample_weight)."]
    if not all(any(True for _ in leaves(part)) for part in split):
        return [f"Data.{name} has a part without any array, but x and y need at least one each."]
    arrays = list(leaves(split))
    wrong = [array for array in arrays if not isinstance(array, np.ndarray) or array.dtype == object]
    if wrong:
        return [
            f"Data.{name} holds {_describe(wrong[0])}, but must hold NumPy arrays of numbers: "
            "convert it with np.asarray(…, dtype=…)."
        ]
    if any(array.ndim == 0 for array in arrays):
        return [f"Data.{name} holds a single number, but each array needs an axis of examples."]
    problems = []
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        problems.append(
            f"The arrays of Data.{name} have {', '.join(map(str, lengths))} examples, but must have equally "
            "many: x and y have to be divided together."
        )
    elif lengths[0] == 0:
        problems.append(f"Data.{name} has no examples: leave the split out, or make it larger.")
    missing = sum(int(np.isnan(y).sum()) for y in leaves(split[1]) if np.issubdtype(y.dtype, np.floating))
    if missing:
        problems.append(
            f"The labels of Data.{name} have {missing} NaN values, but an example without a label has "
            "no loss: drop those examples."
        )
    return problems


def _describe(value: Any) -> str:
    kind = type(value).__name__
    return f"a {kind} of {len(value)}" if isinstance(value, tuple | list) else f"a {kind}"
