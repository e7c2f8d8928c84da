"""Checks of a split when the data is put together."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainables.data.frames import is_frame, label_problems
from trainables.data.kinds import Kind, is_source, kind_of
from trainables.data.nested import is_sparse, leaves

_NO_NUMBERS = "OMm"  # objects, times and durations


def split_problems(name: str, split: Any, label: str | Sequence[str] | None = None) -> list[str]:
    """Return what is wrong with a split, one sentence each.

    Args:
        name: The name of the split.
        split: The split, with arrays in place of frames.
        label: The columns of labels of a table.
    """
    if is_source(split):
        return source_problems(name, split, label)
    return _array_problems(name, split)


def agreement_problems(splits: Mapping[str, Any]) -> list[str]:
    """Return what does not fit together of splits that are data sets of TensorFlow: batches in one, and not in another.

    Args:
        splits: The splits by their names; None stands for one that is left out.
    """
    ranks = {name: _ranks(split) for name, split in splits.items() if kind_of(split) is Kind.DATASET}
    train = ranks.pop("train", None)
    problems = []
    for name, others in ranks.items():
        pairs = list(zip(train, others, strict=False)) if train and others and len(train) == len(others) else []
        for difference, batched, single in ((1, "train", name), (-1, name, "train")):
            if pairs and all(first - second == difference for first, second in pairs):
                problems.append(
                    f"Data.{batched} is batched, and Data.{single} is not: batch both, or neither "
                    "(a configuration's `batch_size` batches what is not)."
                )
    return problems


def _ranks(dataset: Any) -> list[int] | None:
    """Return the number of axes of each component of a data set; None where one is unknown."""
    specs = list(leaves(dataset.element_spec))
    ranks = [getattr(getattr(spec, "shape", None), "rank", None) for spec in specs]
    return None if None in ranks else [rank for rank in ranks if rank is not None]


def _array_problems(name: str, split: Any) -> list[str]:
    if not isinstance(split, tuple) or len(split) not in (2, 3):
        rule = f"must be a tuple (x, y) or (x, y, sample_weight){_hint(split)}"
        return [f"Data.{name} is {_describe(split)}, but {rule}."]
    if not all(any(True for _ in leaves(part)) for part in split):
        return [f"Data.{name} has a part without any array, but x and y need at least one each."]
    arrays = list(leaves(split))
    wrong = [array for array in arrays if not _is_array(array) or array.dtype.kind in _NO_NUMBERS]
    wrong += [array for part in split[1:] for array in leaves(part) if is_sparse(array)]
    if wrong:
        return [
            f"Data.{name} holds {_describe(wrong[0])}, but must hold NumPy arrays of numbers or of strings: "
            f"{_conversion_of(wrong[0])}."
        ]
    if flat := [array for array in arrays if is_sparse(array) and array.ndim != 2]:
        return [f"Data.{name} holds a sparse array with {flat[0].ndim} axes, but it must have two."]
    if any(array.ndim == 0 for array in arrays):
        return [f"Data.{name} holds a single number, but each array needs an axis of examples."]
    problems = []
    lengths = [int(array.shape[0]) for array in arrays]
    if len(set(lengths)) > 1:
        problems.append(
            f"The arrays of Data.{name} have {', '.join(map(str, lengths))} examples, but must have equally "
            "many: x and y have to be divided together."
        )
    elif lengths[0] == 0:
        problems.append(f"Data.{name} has no examples: leave the split out, or make it larger.")
    return problems


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or is_sparse(value)


def _conversion_of(value: Any) -> str:
    """Return how something that is no array of numbers or of strings can be given."""
    if is_sparse(value):
        return "labels and weights must not be sparse: take its .toarray()"
    if hasattr(value, "row_lengths") or hasattr(value, "dense_shape"):
        return "give tf.data.Dataset.from_tensor_slices((x, y)), which takes ragged and sparse tensors"
    if getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m"):
        return "convert times to numbers, such as days since the first"
    return "convert it with np.asarray(…, dtype=…)"


def _describe(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, np.ndarray) and value.dtype.kind in ("M", "m"):
        return f"an array of {value.dtype}"
    return f"a {kind} of {len(value)}" if isinstance(value, tuple | list) else f"a {kind}"


def _hint(split: Any) -> str:
    """Return what else a split may be, for somebody who gave something that is near to it."""
    if is_frame(split):
        return ", unless Data(label=…) names its column of labels"
    if inspect.isgenerator(split):
        return ", or a source: give the function that returns the generator, which can be read once only"
    if isinstance(split, list | tuple) and any(is_source(part) for part in split):
        return ', or one source: `subset="both"` of Keras gives two, for train and for validation'
    return ", or a source such as a tf.data.Dataset"


def source_problems(name: str, split: Any, label: str | Sequence[str] | None) -> list[str]:
    """Return what is wrong with a source, as far as it can be known without reading it.

    Args:
        name: The name of the split.
        split: The source.
        label: The columns of labels of a table.
    """
    kind = kind_of(split)
    empty = f"Data.{name} is {kind} without any batch: leave the split out, or make it larger."
    if kind is Kind.DATASET:
        parts = split.element_spec
        if isinstance(parts, tuple) and not 1 <= len(parts) <= 3:
            return [f"Data.{name} yields {len(parts)} parts, but must yield x, (x, y) or (x, y, sample_weight)."]
        return [empty] if int(split.cardinality()) == 0 else []
    if kind is Kind.PY_DATASET:
        try:
            return [empty] if split.num_batches == 0 else []
        except NotImplementedError:
            return [f"Data.{name} is {kind} without a length: define its `__len__`, or `num_batches`."]
    if kind is Kind.RAY:
        if label is None:
            return [f'Data.{name} is {kind}: name its column of labels, Data(…, label="…").']
        schema = split.schema(fetch_if_missing=False)  # what is not known yet would have to be read
        return label_problems(name, schema.names, [label] if isinstance(label, str) else label) if schema else []
    return _callable_problems(name, split) if kind is Kind.FUNCTION else []


def _callable_problems(name: str, split: Any) -> list[str]:
    try:
        signature = inspect.signature(split)
        signature.bind(**({"epoch": 0} if "epoch" in signature.parameters else {}))
    except TypeError:
        return [
            f"Data.{name} is a function that needs arguments, but it is called without any: give them defaults, or "
            "wrap it in functools.partial. It may have a parameter `epoch`, counted from 0."
        ]
    except ValueError:
        pass  # Python cannot tell
    return []
