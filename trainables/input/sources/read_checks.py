"""Checks of batches as they are read: labels that the loss does not know, and data that does not come to an end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from trainables.data.nested import leaves
from trainables.settings import InvalidTrainable

SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"

MOST_BATCHES = 1_000_000
"""Batches after which an epoch of unknown length is taken for one without an end."""

_BEGIN, _END = "<in the data: ", ">"
_MARKED = re.compile(re.escape(_BEGIN) + r"(.*?)" + re.escape(_END), re.DOTALL)
_OUTSIDE = re.compile(r"label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)")


@dataclass(frozen=True)
class LabelRules:
    """The labels that the loss of a model takes.

    Attributes:
        loss: The name of a loss of Keras that takes labels from 0 to ``highest``; "" for any other.
        highest: The highest label; None: any.
        forbids_missing: Whether a label may not be NaN, because every loss is one of Keras's.
    """

    loss: str = ""
    highest: int | None = None
    forbids_missing: bool = False

    def limits(self, *, is_weighted: bool) -> bool:
        """Return whether there is a highest label. A binary label with a weight may be anything that weighs 0."""
        return self.highest is not None and not (is_weighted and self.loss == BINARY)

    def check_range(self, owner: str, smallest: Any, largest: Any) -> None:
        """Check the smallest and the largest of some labels.

        Args:
            owner: The name of what has the labels.
            smallest: The smallest label.
            largest: The largest label.

        Raises:
            InvalidTrainable: One of them lies outside.
        """
        if self.highest is not None and (smallest < 0 or largest > self.highest):
            wrong = smallest if smallest < 0 else largest
            raise InvalidTrainable(outside(owner, f"{wrong:g}", self.loss, self.highest))

    def check_batch(self, owner: str, batch: Any) -> bool:
        """Check the labels of a batch of arrays or of tensors that are at hand, and return whether there are any rules.

        Args:
            owner: The name of the split.
            batch: x, (x, y) or (x, y, sample_weight).

        Raises:
            InvalidTrainable: A label is missing, or lies outside.
        """
        _, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
        labels = list(leaves(y)) if y is not None else []
        has_limits = len(labels) == 1 and self.limits(is_weighted=weight is not None)
        is_checked = has_limits
        for values in (each for each in map(_numbers, labels) if each is not None):
            if self.forbids_missing and values.dtype.kind == "f":
                is_checked = True
                if np.isnan(values).any():
                    raise InvalidTrainable(missing(owner))
            if has_limits and values.size:
                self.check_range(owner, *range_of(values))
        return is_checked

    def checked_change(self, owner: str, change: Callable[[Any, int], Any] | None = None) -> Any:
        """Return a change of batches (see ``Batches``) that checks their labels first; None where nothing is done.

        Args:
            owner: The name of the split.
            change: The change; None: there is none.
        """
        if not self.forbids_missing and self.highest is None:
            return change

        def check(batch: Any, step: int) -> Any:
            with _marked():
                self.check_batch(owner, tuple(batch) if isinstance(batch, list) else batch)
            return batch if change is None else change(batch, step)

        return check

    def check_as_read(self, batches: Any, owner: str) -> Any:
        """Return a ``tf.data.Dataset`` whose labels are checked while it is read: see ``mistakes_as_read``.

        Args:
            batches: The batches.
            owner: The name of the split.
        """
        parts = batches.element_spec if isinstance(batches.element_spec, tuple) else ()
        labels: list[Any] = list(leaves(parts[1])) if len(parts) > 1 else []
        dense = [part for part in labels if _is_dense(part)]
        has_limits = len(labels) == len(dense) == 1 and self.limits(is_weighted=len(parts) > 2)
        if not has_limits and not (self.forbids_missing and any(part.dtype.is_floating for part in dense)):
            return batches

        def check(*batch: Any) -> Any:
            for part in leaves(batch[1]):
                if _is_dense(part):
                    self._check_tensor(part, owner, has_limits=has_limits)
            return batch

        return batches.map(check)

    def _check_tensor(self, labels: Any, owner: str, *, has_limits: bool) -> None:
        import tensorflow as tf

        if self.forbids_missing and labels.dtype.is_floating:
            tf.debugging.Assert(~tf.reduce_any(tf.math.is_nan(labels)), [_BEGIN + missing(owner) + _END])
        if has_limits:
            if labels.dtype.is_floating:
                labels = tf.where(tf.math.is_nan(labels), tf.zeros_like(labels), labels)
            wide = labels.dtype if labels.dtype.is_floating else tf.int64
            smallest, largest = (tf.cast(reduce(labels), wide) for reduce in (tf.reduce_min, tf.reduce_max))
            is_right = (smallest >= 0) & (largest <= tf.cast(self.highest, wide))
            wrong = tf.where(smallest < 0, smallest, largest)
            before, after = outside(owner, _END, self.loss, self.highest or 0).split(_END)
            text = tf.strings.join(
                [_BEGIN, before, tf.strings.as_string(wrong, shortest=wide.is_floating), after, _END]
            )
            tf.debugging.Assert(is_right | (tf.size(labels) == 0), [text])


ANY_LABELS = LabelRules()
"""The rules of a loss of which nothing is known."""


def ended_as_read(batches: Any, owner: str, option: str) -> Any:
    """Return a ``tf.data.Dataset`` of unknown length that is a mistake if it does not end: see ``mistakes_as_read``.

    Args:
        batches: The batches.
        owner: The name of the split.
        option: The option of ``FitOptions`` that says how many of them are read.
    """
    import tensorflow as tf

    told = (
        f"{owner} has yielded {MOST_BATCHES:,} batches in one epoch, and has not ended: say how many batches an epoch "
        f"has with FitOptions({option}=…) in fit_options."
    )

    def check(index: Any, batch: Any) -> Any:
        tf.debugging.Assert(index < MOST_BATCHES, [_BEGIN + told + _END])
        return batch

    return batches.enumerate().map(check)


@contextmanager
def mistakes_as_read() -> Iterator[None]:
    """Turn what the checks of batches found, which TensorFlow raises as errors of its own, into mistakes.

    Raises:
        InvalidTrainable: A label lies outside of the classes or is missing, or the data does not end.
    """
    try:
        yield
    except Exception as error:
        text = str(error)
        if found := _MARKED.search(text):
            raise InvalidTrainable(found[1]) from error
        if found := _OUTSIDE.search(text):  # of a model whose classes nobody knew
            raise InvalidTrainable(outside("The data", found[1], SPARSE, int(found[2]) - 1)) from error
        raise


@contextmanager
def _marked() -> Iterator[None]:
    """Mark a mistake that is found where TensorFlow calls Python, and makes an error of its own of it."""
    try:
        yield
    except InvalidTrainable as mistake:
        raise InvalidTrainable(_BEGIN + str(mistake) + _END) from mistake


def outside(owner: str, label: str, loss: str, highest: int) -> str:
    """Return the sentence about a label that lies outside of the classes."""
    remedy = (
        "give the model an output for each class, or number the classes from 0."
        if loss == SPARSE
        else "encode the two classes as 0 and 1, or choose another loss."
    )
    return f"{owner} has the label {label}, but the loss {loss} takes labels from 0 to {highest}: {remedy}"


def missing(owner: str, count: int | None = None) -> str:
    """Return the sentence about labels that are NaN."""
    return (
        f"The labels of {owner} have {'' if count is None else f'{count} '}NaN values, but an example without a label "
        "has no loss: drop those examples, or compile the model with a loss that passes over them."
    )


def range_of(labels: np.ndarray) -> tuple[Any, Any]:
    """Return the smallest and the largest label, whatever is NaN."""
    return (np.fmin.reduce(labels, axis=None), np.fmax.reduce(labels, axis=None)) if labels.size else (0, 0)


def _numbers(labels: Any) -> np.ndarray | None:
    """Return labels as numbers; None where they are none."""
    labels = getattr(labels, "flat_values", labels)  # of a ragged tensor
    try:
        values = np.asarray(labels)
    except (TypeError, ValueError):
        return None
    return values if values.dtype.kind in "biuf" else None


def _is_dense(part: Any) -> bool:
    """Return whether a tensor, or its specification, is a dense one of numbers that can be compared."""
    import tensorflow as tf

    is_dense = isinstance(part, tf.TensorSpec) or tf.is_tensor(part)
    is_composite = isinstance(part, tf.RaggedTensor | tf.SparseTensor)
    return is_dense and not is_composite and (part.dtype.is_floating or part.dtype.is_integer)
