"""Two splits one after the other, as one: arrays, sources of one kind, or a source and arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from tune_jobs.base.words import first_sentences

_ARRAYS_PER_BATCH = 32
_ENDLESS = (
    "Data.train has no end, so a refit would never come to the examples of Data.validation behind it: {}. "
    "FitOptions(steps_per_epoch=…) goes around the data by itself."
)


def joined(first: Any, second: Any | None) -> Any:
    """Return two splits one after the other. If only one has sample weights, the other's examples weigh 1.

    Args:
        first: The first split.
        second: The second split; None: there is none.

    Raises:
        InvalidData: They are sources of different kinds, or arrays that are arranged differently.
    """
    from trainables import InvalidData
    from trainables.data.forks import without_forks
    from trainables.data.functions import cannot_return
    from trainables.data.kinds import Kind, kind_of

    if second is None:
        return first
    kinds = kind_of(first), kind_of(second)
    if kinds == (Kind.ARRAYS, Kind.ARRAYS):
        return _joined_arrays(first, second)
    if Kind.DATASET in kinds and set(kinds) <= {Kind.DATASET, Kind.ARRAYS}:
        return _joined_datasets(first, second)
    if Kind.PY_DATASET in kinds and set(kinds) <= {Kind.PY_DATASET, Kind.ARRAYS}:
        return _joined_py_datasets(first, second)
    if kinds == (Kind.RAY, Kind.RAY):
        return first.union(second)
    functions = {
        Kind.FUNCTION: lambda split: split,
        Kind.LOADER: lambda split: without_forks(split).__iter__,
        Kind.ARRAYS: _Batches,
    }
    if set(kinds) <= set(functions):
        if kinds[0] is Kind.FUNCTION and cannot_return(first):
            raise InvalidData([_ENDLESS.format("let its generator return")])
        return _InTurn(functions[kinds[0]](first), functions[kinds[1]](second))  # type: ignore[index]
    raise InvalidData(
        [
            f"Data.train is {kinds[0]}, and Data.validation is {kinds[1]}: these cannot be joined for a refit. Give "
            "the validation split as the same kind, or as arrays."
        ]
    )


def _joined_arrays(first: Any, second: Any) -> Any:
    from trainables import InvalidData
    from trainables.data.put_together import one_after_the_other

    weights = first[2:] or second[2:]
    parts = [
        part if len(part[2:]) == len(weights) else (*part, _ones_like(weights[0], part)) for part in (first, second)
    ]
    try:
        return one_after_the_other(*parts)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidData(
            [
                "Data.train and Data.validation cannot be joined for a refit, because their arrays are arranged "
                f"differently or have other shapes ({first_sentences(error)}): load_data must return both alike."
            ]
        ) from error


def _ones_like(weights: Any, split: Any) -> Any:
    """Return weights of 1 for the examples of a split, arranged as those of another split."""
    from trainables.data.nested import length, map_leaves

    return map_leaves(lambda array: np.ones((length(split), *array.shape[1:]), np.float32), weights)


def _joined_datasets(first: Any, second: Any) -> Any:
    import tensorflow as tf

    from trainables import InvalidData
    from trainables.data.kinds import Kind, kind_of
    from trainables.data.nested import is_sparse, leaves, map_leaves
    from trainables.input.sparse_batches import sparse_tensor

    def as_dataset(split: Any, like: Any) -> Any:
        if kind_of(split) is Kind.DATASET:
            return split
        split = map_leaves(lambda array: sparse_tensor(array) if is_sparse(array) else array, split)
        dataset = tf.data.Dataset.from_tensor_slices(split)
        axes, own_axes = (len(next(leaves(each.element_spec)).shape) for each in (like, dataset))
        return dataset if axes == own_axes else dataset.batch(_ARRAYS_PER_BATCH)

    if kind_of(first) is Kind.DATASET and int(first.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise InvalidData([_ENDLESS.format("leave out the .repeat()")])
    return as_dataset(first, second).concatenate(as_dataset(second, first))


def _joined_py_datasets(first: Any, second: Any) -> Any:
    from trainables import InvalidData
    from trainables.data.py_datasets import ArrayBatches, Chained

    parts = [ArrayBatches(split, _ARRAYS_PER_BATCH) if isinstance(split, tuple) else split for split in (first, second)]
    if any(part.num_batches is None for part in parts):
        raise InvalidData(["Data.train and Data.validation cannot be joined for a refit: one of them has no end."])
    return Chained(*parts)


class _Batches:
    """A function that returns a generator of the batches of arrays."""

    def __init__(self, split: Any) -> None:
        self._split = split

    def __call__(self) -> Iterator[Any]:
        """Return a fresh generator."""
        from trainables.data.nested import length, rows_of

        starts = range(0, length(self._split), _ARRAYS_PER_BATCH)
        return (rows_of(self._split, np.s_[start : start + _ARRAYS_PER_BATCH]) for start in starts)


class _InTurn:
    """A function that returns a generator of the batches of two others, one after the other."""

    def __init__(self, first: Callable[..., Iterator[Any]], second: Callable[..., Iterator[Any]]) -> None:
        self._functions = first, second

    def __call__(self, epoch: int = 0) -> Iterator[Any]:
        """Return a fresh generator for an epoch, counted from 0."""
        from trainables.data.functions import generator_of

        return chain.from_iterable(generator_of(function, epoch) for function in self._functions)
