"""The division of examples into a part to keep and a part to hold out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainables.data.invalid import InvalidData
from trainables.data.nested import Arrays, leaves, map_leaves
from trainables.data.put_together import take

_MOST_SEED = 2**32 - 1


def split(
    x: Arrays, y: Arrays, fraction: float, *, seed: int = 0, stratify: bool = True
) -> tuple[tuple[Arrays, Arrays], tuple[Arrays, Arrays]]:
    """Divide examples at random into a part to keep and a part to hold out.

    Args:
        x: Inputs, shape (examples, …), or a tuple, list or dict of such arrays. Frames and series stay what they are.
        y: Labels, in the same forms.
        fraction: The part of the examples to hold out, in (0, 1).
        seed: The seed of the division.
        stratify: Whether each class is divided alike. Where that makes no sense, the examples are drawn plainly: where
            y holds continuous targets or several arrays, or has too few examples of a class for one in each part.

    Returns:
        (x, y) of the part to keep and (x, y) of the part that is held out.

    Raises:
        InvalidData: An argument is wrong, or x and y have different numbers of examples; all mistakes are listed.

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

    x, y = _arrays(x), _arrays(y)
    lengths = [int(leaf.shape[0]) if getattr(leaf, "shape", ()) else None for leaf in leaves((x, y))]
    if problems := [*_length_problems(lengths), *_argument_problems(fraction, seed)]:
        raise InvalidData(problems)
    indices = np.arange(lengths[0] or 0)
    try:
        classes = y if stratify and not isinstance(y, Mapping | list | tuple) else None
        kept, held_out = train_test_split(indices, test_size=fraction, random_state=seed, stratify=_strata(classes))
    except (TypeError, ValueError):  # scikit-learn lists all values of y that occur once
        try:
            kept, held_out = train_test_split(indices, test_size=fraction, random_state=seed)
        except ValueError as error:
            raise InvalidData([f"{len(indices)} examples cannot be divided: {error}"]) from error
    return _taken((x, y), kept), _taken((x, y), held_out)


def _arrays(value: Any) -> Arrays:
    """Return arrays as they are, and a list of plain values as an array."""
    if isinstance(value, Mapping | tuple | list):
        if value and all(hasattr(leaf, "shape") for leaf in leaves(value)):
            return value
        return value if isinstance(value, Mapping) else np.asarray(value, dtype=_kind(value))
    return value


def _kind(values: Any) -> Any:
    """Return the type of an array of some values: of objects, where they are lists of different lengths."""
    try:
        return np.asarray(values).dtype
    except ValueError:
        return object


def _length_problems(lengths: list[int | None]) -> list[str]:
    if not lengths or None in lengths:
        return ["x and y must be arrays of examples, but one of them is something else, or a single number."]
    if len(set(lengths)) > 1:
        counts = ", ".join(map(str, lengths))
        return [f"The arrays of x and y have {counts} examples, but must have equally many."]
    return [] if lengths[0] and lengths[0] > 1 else [f"There are {lengths[0]} examples, but at least 2 are needed."]


def _argument_problems(fraction: Any, seed: Any) -> list[str]:
    problems = []
    if not isinstance(fraction, float) or not 0 < fraction < 1:
        problems.append(f"The value of `fraction` is {_short(fraction)}, but must be between 0 and 1, such as 0.2.")
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed <= _MOST_SEED:
        problems.append(f"The value of `seed` is {_short(seed)}, but must be a whole number from 0 to {_MOST_SEED:,}.")
    return problems


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, int | float) and abs(value) < 10**300 else f"a {type(value).__name__}"


def _taken(examples: tuple[Arrays, Arrays], indices: np.ndarray) -> tuple[Arrays, Arrays]:
    """Return the examples at some indices. A frame or a series stays one."""
    taken = iter(take([leaf for leaf in leaves(examples) if isinstance(leaf, np.ndarray)], indices))

    def one(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            return next(taken)
        return leaf.iloc[indices] if hasattr(leaf, "iloc") else leaf[indices]

    x, y = map_leaves(one, examples)
    return x, y


def _strata(y: Any) -> Any:
    """Return labels that divide the examples as y does, for scikit-learn, which makes a text of every row of y.

    The texts of wide rows take many times the memory of y. So this function makes texts of the different rows only,
    and returns their positions in the order of the texts.

    Raises:
        ValueError: Some row must be the only one of its kind, or y has more than two axes.
    """
    if not isinstance(y, np.ndarray) or y.ndim < 2:
        return y
    if y.ndim > 2:
        raise ValueError("There are no classes with more than two axes.")
    numbers: dict[bytes, int] = {}
    first: list[int] = []
    rows = np.empty(len(y), np.int64)
    for index, row in enumerate(y):
        number = rows[index] = numbers.setdefault(row.tobytes(), len(numbers))
        if number == len(first):
            first.append(index)
            if 2 * len(first) > len(y):
                raise ValueError("Some row is the only one of its kind.")
    _, order = np.unique([" ".join(y[index].astype("str")) for index in first], return_inverse=True)
    return order[rows]
