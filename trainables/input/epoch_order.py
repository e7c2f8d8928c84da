"""The order of the examples of arrays in an epoch: a function of the seed and the epoch."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np

from trainables.data.nested import Split, length
from trainables.fit_options import Augment


class TrainingInput:
    """Batches for ``model.fit``, an epoch at a time.

    Args:
        arrays: (x, y) or (x, y, sample_weight); examples run along the first axis of every array.
        batch_size: Examples per batch; the last batch of an epoch may be smaller.
        seed: Seed of the order of the examples.
        augment: ``augment(x, y, seed) -> (x, y)``, applied to every batch; None leaves the batches as they are.
        steps: Batches per epoch; None: all examples once.
        shuffled: Whether every epoch has an order of its own; else the examples come in their order in the arrays.

    Attributes:
        examples: Examples per epoch.
        steps: Batches per epoch.
        counted: None: the number of batches is known before.
    """

    counted = None

    def __init__(
        self,
        arrays: Split,
        batch_size: int,
        seed: int,
        augment: Augment | None,
        steps: int | None = None,
        *,
        shuffled: bool = True,
    ) -> None:
        self.arrays = arrays
        self.batch_size = batch_size
        self.seed = seed
        self.augment = augment
        self.shuffled = shuffled
        self._available = length(arrays)
        self._goes_on = steps is not None
        self.examples = self._available if steps is None else steps * batch_size
        self.steps = -(-self.examples // batch_size)

    def order(self, epoch: int) -> np.ndarray:
        """Return the order of the examples in an epoch, a function of the seed and the epoch.

        A continued trial therefore sees the batches that an uninterrupted one would have seen.

        Args:
            epoch: The epoch, counted from 0.

        Returns:
            Every index once, shape (examples,). If an epoch is a number of batches, the indices that follow on those of
            the epoch before, where all examples come once, and then again in another order.
        """
        if not self._goes_on:
            return self._pass(epoch)
        positions = np.arange(epoch * self.examples, (epoch + 1) * self.examples)
        passes = positions // self._available
        orders = {number: self._pass(number) for number in np.unique(passes)}
        return np.concatenate([orders[number][positions[passes == number] % self._available] for number in orders])

    def _pass(self, number: int) -> np.ndarray:
        if not self.shuffled:
            return np.arange(self._available)
        return np.random.default_rng([self.seed, int(number)]).permutation(self._available)

    @property
    def spec(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""
        return ""

    def with_seed(self, seed: int) -> Self:
        """Return the same input with other orders.

        The two share their pipeline: they must not be read at the same time, and have no augmentation.
        """
        other = copy.copy(self)
        other.seed = seed
        return other

    def for_epoch(self, epoch: int) -> Any:
        """Return what ``model.fit`` reads in an epoch (counted from 0)."""
        raise NotImplementedError
