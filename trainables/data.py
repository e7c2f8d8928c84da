"""The data of a run: splits of examples that are checked once and shared by all trials without copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Arrays = Any
"""An array, or a tuple, list or dict of arrays (a model with several inputs or outputs)."""

Split = tuple[Arrays, ...]
"""(x, y) or (x, y, sample_weight): the first axis of every array counts the examples."""

_PART_SEED = 0  # whatever the run's seed is: runs of one fraction can only be compared if they see the same examples


class InvalidData(ValueError):  # noqa: N818 - it tells of the data, not of a failure
    """The data cannot be trained on.

    Args:
        problems: Every reason, one sentence each.

    Attributes:
        problems: Every reason.

    Example:
        >>> import numpy as np
        >>> from trainables import Data, InvalidData
        >>> try:
        ...     Data(train=(np.zeros((3, 2)), np.zeros(2)))
        ... except InvalidData as error:
        ...     print(error.problems[0])
        The arrays of Data.train have 3, 2 examples, but must have equally many: x and y have to be divided together.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self.problems),)


@dataclass(frozen=True)
class Data:
    """Training, validation and test examples, checked when they are put together.

    Each of x, y and sample_weight is a NumPy array of shape (examples, …), or a tuple, list or dict of such arrays for
    a model with several inputs or outputs. A frame of pandas is a dict of its columns (one of a single column, as y or
    sample_weight, is that column), and text is an array of strings, for a ``StringLookup`` in the model.

    Attributes:
        train: (x, y) or (x, y, sample_weight) to fit on.
        validation: The same, for the objective; without it the model reports no ``val_…`` metric.
        test: The same; no searcher, scheduler or callback ever sees it.
        class_names: The names of the classes 0, 1, …, for reports.

    Raises:
        InvalidData: A split has a wrong form, arrays of unequal length or no examples, or labels are NaN.

    Example:
        >>> import numpy as np
        >>> from trainables import Data
        >>> x, y = np.zeros((60, 8)), np.zeros(60, int)
        >>> data = Data(train=(x[:40], y[:40]), validation=(x[40:], y[40:]))
        >>> data.examples
        {'train': 40, 'validation': 20}
        >>> data.part(0.5).examples
        {'train': 20, 'validation': 10}
    """

    train: Split
    validation: Split | None = None
    test: Split | None = None
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("train", "validation", "test"):
            split = getattr(self, name)
            if isinstance(split, tuple) and len(split) in (2, 3):
                x, *others = split
                object.__setattr__(self, name, (_arrays_of(x), *(_arrays_of(_only_column(part)) for part in others)))
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        given = {name: split for name, split in splits.items() if split is not None or name == "train"}
        problems = [problem for name, split in given.items() for problem in _split_problems(name, split)]
        if problems:
            raise InvalidData(problems)

    @property
    def examples(self) -> dict[str, int]:
        """The number of examples of each split."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: length(split) for name, split in splits.items() if split is not None}

    def part(self, fraction: float) -> Data:
        """Return a part of the training and of the validation examples, in their order; the test set stays whole.

        The choice depends on the data and the fraction alone, so all runs of one fraction see the same examples. If
        the labels are classes, each class has its share, and at least one example. Labels are classes if they are one
        array of whole numbers, of shape (examples,) or (examples, 1), or of one-hot rows. Labels with more different
        numbers than half of the examples are quantities, not classes.

        Args:
            fraction: The part to take of each split, in (0, 1]; at least one example is left.

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
    """Yield every array of a nested structure, in order."""
    if isinstance(arrays, Mapping):
        for value in arrays.values():
            yield from leaves(value)
    elif isinstance(arrays, tuple | list):
        for value in arrays:
            yield from leaves(value)
    else:
        yield arrays


def length(arrays: Arrays) -> int:
    """Return the number of examples of a nested structure of arrays."""
    return len(next(leaves(arrays)))


def are_one_hot(labels: np.ndarray) -> bool:
    """Return whether each row of labels, of shape (examples, classes), is a single 1 among zeros."""
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def split(
    x: np.ndarray, y: np.ndarray, fraction: float, *, seed: int = 0, stratify: bool = True
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Divide examples at random into a part to keep and a part to hold out.

    Args:
        x: Inputs, shape (examples, …).
        y: Labels, shape (examples, …).
        fraction: The part of the examples to hold out, in (0, 1).
        seed: The seed of the division.
        stratify: Whether each class is divided alike. Where that makes no sense, the examples are drawn plainly: where
            y holds continuous targets, or has too few examples of a class for one in each part.

    Returns:
        (x, y) of the part to keep and (x, y) of the part that is held out.

    Example:
        >>> import numpy as np
        >>> from trainables import Data, split
        >>> x, y = np.arange(20.0).reshape(10, 2), np.array([0, 1] * 5)
        >>> train, validation = split(x, y, 0.4)
        >>> Data(train, validation).examples
        {'train': 6, 'validation': 4}
        >>> sorted(validation[1].tolist())
        [0, 0, 1, 1]
    """
    from sklearn.model_selection import train_test_split

    try:
        parts = train_test_split(x, y, test_size=fraction, random_state=seed, stratify=y if stratify else None)
    except (TypeError, ValueError):  # scikit-learn lists all values of y that occur once
        parts = train_test_split(x, y, test_size=fraction, random_state=seed)
    x_kept, x_held_out, y_kept, y_held_out = parts
    return (x_kept, y_kept), (x_held_out, y_held_out)


def _part(split: Split, fraction: float) -> Split:
    examples = length(split)
    classes = _classes(split[1])
    one_class = np.zeros(examples, np.int64)
    chosen = _sample(one_class if classes is None else classes, max(1, round(fraction * examples)))
    return tuple(_take(arrays, chosen) for arrays in split)


def _sample(classes: np.ndarray, count: int) -> np.ndarray:
    """Return the indices of ``count`` examples, ascending, and of one more for each class that would have none.

    Each class has its share, rounded up or down. This is systematic sampling (Madow and Madow 1944): evenly spaced
    in the examples that are ordered by class, and at random within a class.

    Args:
        classes: The class of each example, shape (examples,).
        count: How many examples to choose.
    """
    order = np.lexsort((np.random.default_rng(_PART_SEED).random(len(classes)), classes))
    chosen = order[np.arange(count) * len(order) // count]
    present, first = np.unique(classes[order], return_index=True)
    missing = ~np.isin(present, classes[chosen])
    return np.sort(np.concatenate([chosen, order[first[missing]]]))


def _classes(y: Arrays) -> np.ndarray | None:
    """Return the class of each example, or None if the labels are no classes."""
    labels, *others = leaves(y)
    if others or labels.dtype.kind not in "biuf":
        return None
    if labels.ndim == 2:
        labels = labels[:, 0] if labels.shape[1] == 1 else _from_one_hot(labels)
    if labels.ndim != 1 or (labels != np.trunc(labels)).any() or 2 * len(np.unique(labels)) > len(labels):
        return None
    return labels


def _from_one_hot(labels: np.ndarray) -> np.ndarray:
    """Return the index of the one in each row, or the labels as they are if they are not one-hot."""
    return labels.argmax(axis=1) if are_one_hot(labels) else labels


def _take(arrays: Arrays, indices: np.ndarray) -> Arrays:
    if isinstance(arrays, Mapping):
        return {name: _take(value, indices) for name, value in arrays.items()}
    if isinstance(arrays, list):
        return [_take(value, indices) for value in arrays]
    if isinstance(arrays, tuple):
        return tuple(_take(value, indices) for value in arrays)
    return arrays[indices]


def _arrays_of(value: Arrays) -> Arrays:
    """Return a structure with the columns of its frames as arrays, and with text as arrays of strings."""
    if isinstance(value, Mapping):
        return {name: _arrays_of(part) for name, part in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_arrays_of(part) for part in value)
    if _is_frame(value):
        return {str(name): _arrays_of(value[name]) for name in value.columns}
    if not isinstance(value, np.ndarray) and hasattr(value, "to_numpy"):
        value = value.to_numpy()  # a series
    is_of_objects = isinstance(value, np.ndarray) and value.dtype == object and value.size
    return value.astype(str) if is_of_objects and all(isinstance(item, str) for item in value.flat) else value


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "to_numpy")


def _only_column(value: Any) -> Any:
    return value[value.columns[0]] if _is_frame(value) and len(value.columns) == 1 else value


def _split_problems(name: str, split: Any) -> list[str]:
    if not isinstance(split, tuple) or len(split) not in (2, 3):
        return [f"Data.{name} is {_describe(split)}, but must be a tuple (x, y) or (x, y, sample_weight)."]
    if not all(any(True for _ in leaves(part)) for part in split):
        return [f"Data.{name} has a part without any array, but x and y need at least one each."]
    arrays = list(leaves(split))
    wrong = [array for array in arrays if not isinstance(array, np.ndarray) or array.dtype == object]
    if wrong:
        return [
            f"Data.{name} holds {_describe(wrong[0])}, but must hold NumPy arrays of numbers or of strings: "
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
