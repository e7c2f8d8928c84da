"""A source as it is evaluated: every prediction beside its label, however the source orders its examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from trainables.data.kinds import Kind, kind_of
from trainables.data.nested import leaves
from trainables.input.sources.open_source import OpenSource
from trainables.input.sources.validation_batches import ValidationBatches


@dataclass(frozen=True)
class Predictions:
    """The predictions for a source, in the order in which it was read.

    Attributes:
        predictions: The outputs of the model.
        labels: The labels, arranged as the source has them; None where it has none, or of unequal shapes.
        examples: The number of examples.
        is_weighted: Whether the source yields weights.
    """

    predictions: Any
    labels: Any
    examples: int
    is_weighted: bool


def evaluation_batches(
    model: Any, name: str, split: Any, batch_size: int, label: str | Sequence[str] | None = None
) -> Any:
    """Return the batches of a source, as ``model.evaluate`` reads them.

    Args:
        model: The model that is going to read them.
        name: The name of the split.
        split: The source.
        batch_size: Examples per batch, if the source yields single examples.
        label: The columns of labels of a ``ray.data.Dataset``.

    Raises:
        InvalidTrainable: The source is empty, or has no end.
    """
    if kind_of(split) is Kind.PY_DATASET:
        return ValidationBatches(name, split, None, is_endless=split.num_batches is None).for_epoch(0)
    source = OpenSource(name, split, label)
    batches = source.batches(model, batch_size)
    return ValidationBatches(name, batches, None, is_endless=source.is_endless).for_epoch(0)


def predictions_of(model: Any, batches: Any) -> Predictions:
    """Read a source once, and return the model's prediction for each example beside its label.

    Args:
        model: The model.
        batches: What ``evaluation_batches`` returned.
    """
    outputs, labels, examples, is_weighted = [], [], 0, False
    for batch in _read(batches):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
        outputs.append(model.predict_on_batch(x))
        labels.append(y)
        is_weighted = weight is not None
        examples += len(next(leaves(outputs[-1])))
    return Predictions(_joined(outputs), _joined_or_none(labels), examples, is_weighted)


def _read(batches: Any) -> Iterator[Any]:
    if isinstance(batches, keras.utils.PyDataset):
        return (batches[index] for index in range(batches.num_batches))
    return iter(batches)


def _joined(parts: Sequence[Any]) -> Any:
    return keras.tree.map_structure(lambda *arrays: np.concatenate([np.asarray(a) for a in arrays]), *parts)


def _joined_or_none(parts: Sequence[Any]) -> Any:
    if not parts or parts[0] is None:
        return None
    try:
        return _joined(parts)
    except (TypeError, ValueError):  # of unequal shapes, or ragged
        return None
