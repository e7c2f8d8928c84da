"""Checks of a split when the data is put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainables.data.labels import count_missing
from trainables.data.nested import leaves


def split_problems(name: str, split: Any) -> list[str]:
    """Return what is wrong with a split, one sentence each.

    Args:
        name: The name of the split.
        split: The split as it was given.
    """
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
    missing = sum(map(count_missing, leaves(split[1])))
    if missing:
        problems.append(
            f"The labels of Data.{name} have {missing} NaN values, but an example without a label has "
            "no loss: drop those examples."
        )
    return problems


def _describe(value: Any) -> str:
    kind = type(value).__name__
    return f"a {kind} of {len(value)}" if isinstance(value, tuple | list) else f"a {kind}"
