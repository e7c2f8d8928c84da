"""The data of a run: splits that are checked once and shared by all its trials without copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = Any
"""An array, or a tuple, list or dict of arrays (a model with several inputs or outputs)."""

Split = tuple[Arrays, ...]
"""(x, y) or (x, y, sample_weight): examples run along the first axis of every array."""


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
