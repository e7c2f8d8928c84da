"""A ``keras.utils.PyDataset`` read through another one: in another order, in part, or with its batches changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from trainables.data.nested import length, rows_of


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """The batches of a ``PyDataset`` in an order of their own, made by as many threads as it asks workers.

    Args:
        source: The ``PyDataset``.
        order: The numbers of its batches; None: all, as they come, without an end.
        change: Is called with each batch and its position in the order, and returns what is read instead of it.
    """

    def __init__(
        self, source: Any, order: Sequence[int] | None, change: Callable[[Any, int], Any] | None = None
    ) -> None:
        super().__init__(
            workers=source.workers,
            max_queue_size=source.max_queue_size,
        )
        self.source = self.whole = source
        self.order = order
        self.change = change

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None: there is no end."""
        return None if self.order is None else len(self.order)

    def __getitem__(self, step: int) -> Any:
        batch = self.source[step if self.order is None else int(self.order[step])]
        return batch if self.change is None else self.change(batch, step)

    # Whoever trains calls `on_epoch_begin` and `on_epoch_end` of the source once an epoch: Keras calls those of this
    # object twice, because each epoch is a `fit` of its own.


class Chained(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of one ``PyDataset``, and then those of another one."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__(
            workers=first.workers,
            max_queue_size=first.max_queue_size,
        )
        self.parts = first, second

    @property
    def num_batches(self) -> int:
        """The number of batches of both."""
        return sum(part.num_batches for part in self.parts)

    def __getitem__(self, step: int) -> Any:
        first, second = self.parts
        return first[step] if step < first.num_batches else second[step - first.num_batches]

    def on_epoch_begin(self) -> None:
        """Tell both that an epoch begins."""
        for part in self.parts:
            part.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Tell both that an epoch ended."""
        for part in self.parts:
            part.on_epoch_end()


class ArrayBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of a tuple of arrays."""

    def __init__(self, split: Any, batch_size: int) -> None:
        super().__init__()
        self.split, self.batch_size = split, batch_size

    @property
    def num_batches(self) -> int:
        """The number of batches."""
        return -(-length(self.split) // self.batch_size)

    def __getitem__(self, step: int) -> Any:
        return rows_of(self.split, np.s_[step * self.batch_size : (step + 1) * self.batch_size])
