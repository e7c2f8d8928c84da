"""The batches of an epoch, as the compiled steps find them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Step = Callable[..., Any]
"""A step of Keras: it takes a batch, or an iterator of batches, and returns metrics; on JAX also a state."""


class BatchSpan(NamedTuple):
    """The batches of one call into the backend: from ``start`` to the one before ``stop``."""

    start: Any
    stop: Any


class EpochRows(NamedTuple):
    """The source of the batches of an epoch.

    Attributes:
        batch_size: Examples per batch, a scalar.
        order: Index of every example in the epoch's order, of shape (examples,).
        arrays: (x, y) or (x, y, sample_weight) of the backend's arrays; examples run along the first axis.
    """

    batch_size: Any
    order: Any
    arrays: Any
