"""A source that a worker has opened: what it yields, as a data set of TensorFlow, whatever its kind is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import keras
import numpy as np

from trainables.data.forks import without_forks
from trainables.data.functions import generator_of, is_endless_loader, never_ends
from trainables.data.kinds import Kind, kind_of
from trainables.data.nested import is_sparse, leaves
from trainables.input.examples import example_like, first_of
from trainables.input.sources.ray_batches import batches_of
from trainables.input.sparse_batches import sparse_tensor
from trainables.settings import InvalidTrainable

_PEEKED = 2  # as Keras does: what differs between two batches is an open dimension


class OpenSource:
    """A source, kept open for all trials of a worker.

    Args:
        name: The name of the split.
        split: The source; no ``PyDataset``, which Keras reads itself.
        label: The columns of labels of a ``ray.data.Dataset``.

    Attributes:
        kind: The kind of the source.
        epoch: The epoch that is read next, for functions that ask for it.
    """

    def __init__(self, name: str, split: Any, label: str | Sequence[str] | None = None) -> None:
        self.name = name
        self.kind = kind_of(split)
        self.epoch = 0
        self._split = without_forks(split)
        self._labels = [label] if isinstance(label, str) else list(label or ())
        self._made: dict[int | None, Any] = {}
        self._first: list[Any] = []
        self._never_ends = False
        self._examples: dict[str, Any] = {}

    def batches(self, model: Any, batch_size: int) -> Any:
        """Return the batches as a ``tf.data.Dataset``.

        Args:
            model: The model that is going to read them, which shows whether the source yields batches.
            batch_size: Examples per batch, if the source yields single examples.

        Raises:
            InvalidTrainable: The source is empty.
        """
        if self.kind is Kind.DATASET:
            return self._split if self.is_batched(model) else self._split.batch(batch_size)
        is_batched = self.is_batched(model)
        key = batch_size if self.kind is Kind.RAY or not is_batched else None
        if key not in self._made:
            self._made[key] = self._from_python(batch_size, is_batched=is_batched)
        return self._made[key]

    @property
    def is_endless(self) -> bool:
        """True if the source has no end; False if it has one, or if that cannot be seen before it is read."""
        if self.kind is Kind.DATASET:
            return int(self._split.cardinality()) == -1
        return self.kind is not Kind.RAY and bool(self._peeked()) and self._never_ends

    def is_batched(self, model: Any) -> bool:
        """Return whether the source yields batches, and no single examples.

        Args:
            model: The model that is going to read them.
        """
        if self.kind is Kind.RAY:
            return False
        spec = self._split.element_spec if self.kind is Kind.DATASET else self._peeked()[0]
        return _are_batches(spec, model)

    def example(self, model: Any, batch_size: int) -> Any:
        """Return an example (x, y, …) of a batch, with its axis of examples, for what must be known before training.

        Args:
            model: The model that is going to read it.
            batch_size: Examples per batch, if the source yields single examples.
        """
        batches = self.batches(model, batch_size)
        example = example_like(batches.element_spec)
        if example is None:
            key = str(batches.element_spec)
            if key not in self._examples:
                self._examples[key] = self._first_example(batches)
            example = self._examples[key]
        return example if isinstance(example, tuple) else (example,)

    def _first_example(self, batches: Any) -> Any:
        batch = next(iter(batches.take(1)), None)
        if batch is None:
            raise InvalidTrainable(self._empty())
        return keras.tree.map_structure(first_of, batch)

    def _from_python(self, batch_size: int, *, is_batched: bool) -> Any:
        import tensorflow as tf

        first = list(islice(self._read(batch_size), _PEEKED)) if self.kind is Kind.RAY else self._peeked()
        if not first:
            raise InvalidTrainable(self._empty())
        has_examples_axis = is_batched or self.kind is Kind.RAY
        signature = keras.tree.map_structure(lambda *parts: _signature(parts, open_first=has_examples_axis), *first)
        dataset = tf.data.Dataset.from_generator(lambda: self._read(batch_size), output_signature=signature)
        dataset = dataset if has_examples_axis else dataset.batch(batch_size)
        return dataset.prefetch(2)

    def _peeked(self) -> list[Any]:
        if not self._first:
            raw = self._raw(1)
            self._first = list(islice(map(_standard, raw), _PEEKED))
            self._never_ends = never_ends(raw) or (self.kind is Kind.LOADER and is_endless_loader(self._split))
            if not self._first:
                raise InvalidTrainable(self._empty())
        return self._first

    def _read(self, batch_size: int) -> Iterator[Any]:
        """Yield the batches of one epoch, as tuples of arrays and tensors."""
        return map(_standard, self._raw(batch_size))

    def _raw(self, batch_size: int) -> Iterator[Any]:
        if self.kind is Kind.LOADER:
            return iter(self._split)
        if self.kind is Kind.RAY:
            return batches_of(self._split, self._labels, batch_size)
        return generator_of(self._split, self.epoch)

    def _empty(self) -> str:
        return f"Data.{self.name} is {self.kind} without any batch: leave the split out, or make it larger."


def _standard(batch: Any) -> Any:
    """Return a batch as a tuple of at most three parts of arrays and tensors, without a last part that is None."""
    parts = list(batch) if isinstance(batch, list | tuple) else [batch]
    while len(parts) > 1 and parts[-1] is None:
        parts.pop()
    return tuple(map(_tensors, parts))


def _tensors(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {name: _tensors(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return tuple(map(_tensors, part))
    if hasattr(part, "detach"):  # PyTorch's
        part = part.detach().cpu().numpy()
    if is_sparse(part):
        return sparse_tensor(part)
    return part if hasattr(part, "shape") and hasattr(part, "dtype") else np.asarray(part)


def _signature(parts: Sequence[Any], *, open_first: bool) -> Any:
    """Return the specification of a component whose first batches are given, as a data set of TensorFlow needs it.

    Args:
        parts: The component in each of the first batches.
        open_first: Whether the first axis counts examples, whose number differs.
    """
    import tensorflow as tf

    composites = [part for part in parts if isinstance(part, tf.RaggedTensor | tf.SparseTensor)]
    if composites:
        spec = tf.type_spec_from_value(composites[0])
        if isinstance(spec, tf.RaggedTensorSpec):
            shape = [None, *list(spec.shape)[1:]]
            return tf.RaggedTensorSpec(shape, spec.dtype, spec.ragged_rank, spec.row_splits_dtype)
        return tf.SparseTensorSpec([None, *list(spec.shape)[1:]], spec.dtype)
    shapes = [tuple(part.shape) for part in parts]
    if len({len(shape) for shape in shapes}) > 1:
        return tf.TensorSpec(None, _dtype(parts[0]))
    shape = [sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes, strict=True)]
    if shape and open_first:
        shape[0] = None
    return tf.TensorSpec(shape, _dtype(parts[0]))


def _dtype(part: Any) -> Any:
    import tensorflow as tf

    is_text = isinstance(part, np.ndarray) and part.dtype.kind in "OUS"
    return tf.string if is_text else tf.as_dtype(part.dtype)


def _are_batches(element: Any, model: Any) -> bool:
    """Return whether an element, or its specification, is a batch: it has an axis more than an example."""
    parts = element if isinstance(element, tuple) else (element,)
    shapes = [_shape(part) for part in leaves(parts)]
    if any(shape == () for shape in shapes):
        return False
    given = [shape for part in leaves(parts[0]) if (shape := _shape(part)) is not None]
    wanted = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or ()]
    if len(given) != len(wanted):
        return True
    # Without names, the order may differ: only what holds for all inputs is a proof.
    return not all(
        _is_an_example(shape, whole) for shape, whole in zip(sorted_by_rank(given), sorted_by_rank(wanted), strict=True)
    )


def sorted_by_rank(shapes: Sequence[Any]) -> list[Any]:
    """Return shapes in the order of their number of axes."""
    return sorted(shapes, key=len)


def _is_an_example(shape: tuple[Any, ...], whole: tuple[Any, ...]) -> bool:
    # Keras adds an axis to a batch of numbers for an input of shape (1,).
    return len(shape) == len(whole) - 1 and not (whole[-1] == 1 and shape[0] is None)


def _shape(part: Any) -> tuple[Any, ...] | None:
    shape = getattr(part, "shape", None)
    return None if shape is None or getattr(shape, "rank", 0) is None else tuple(shape)
