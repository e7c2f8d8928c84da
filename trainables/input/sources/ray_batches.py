"""The batches of a ``ray.data.Dataset``, which tasks of Ray make while they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np


def batches_of(dataset: Any, labels: Sequence[str], batch_size: int) -> Iterator[Any]:
    """Yield (x, y) of a ``ray.data.Dataset``: one column as it is, several as a dict.

    The blocks come in their order, so that every epoch reads the same batches. By default Ray hands them over as they
    are ready.

    Args:
        dataset: The data set.
        labels: The columns of labels.
        batch_size: Rows per batch.
    """
    from ray.data import DataContext

    context = DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    for batch in dataset.iter_batches(batch_size=batch_size, batch_format="numpy"):
        columns = {name: _column(values) for name, values in batch.items()}
        y = {name: columns.pop(name) for name in labels}
        yield _only(columns), _only(y)


def _only(columns: Mapping[str, Any]) -> Any:
    return next(iter(columns.values())) if len(columns) == 1 else dict(columns)


def _column(values: np.ndarray) -> Any:
    """Return a column as TensorFlow takes it: rows of unequal length become a ragged tensor.

    Ray's own ``iter_tf_batches`` fails on such a column.
    """
    if values.dtype != object or not len(values) or isinstance(values[0], str | bytes):
        return values
    import tensorflow as tf

    rows = [np.asarray(row) for row in values]
    return np.stack(rows) if len({row.shape for row in rows}) == 1 else tf.ragged.stack(rows)
