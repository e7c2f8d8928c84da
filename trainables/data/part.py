"""A part of the examples that represents the whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainables.data.kinds import is_source
from trainables.data.labels import classes_of
from trainables.data.nested import Split, length
from trainables.data.put_together import take
from trainables.data.source_part import part_of_source

_PART_SEED = 0  # whatever the run's seed is: runs of one fraction can only be compared if they see the same examples


def part(split: Any, fraction: float) -> Any:
    """Return a part of a split, in its order; of arrays, each class has its share."""
    return part_of_source(split, fraction) if is_source(split) else _part_of_arrays(split, fraction)


def _part_of_arrays(split: Split, fraction: float) -> Split:
    examples = length(split)
    classes = classes_of(split[1])
    one_class = np.zeros(examples, np.int64)
    chosen = _sample(one_class if classes is None else classes, max(1, round(fraction * examples)))
    chosen_split: Split = take(split, chosen)
    return chosen_split


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
