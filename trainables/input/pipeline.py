"""Batches of the shared arrays, in an order that depends only on the seed and the epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from trainables.data.nested import Split, has_sparse, length
from trainables.devices.replicas import distribute_batches
from trainables.fit_options import Augment, FitOptions
from trainables.input.epoch_order import TrainingInput
from trainables.input.sparse_batches import SparseInput, sparse_batches
from trainables.input.tensors import as_tensor, read_as_written
from trainables.input.weights import with_weights

ToTensor = Callable[[np.ndarray], Any]
"""A function that makes a TensorFlow tensor of an array."""


class ValidationInput:
    """Batches of the validation split, the same in every epoch.

    Attributes:
        steps: The number of batches.
    """

    def __init__(self, batches: Any) -> None:
        self._batches = batches
        # A data set that is divided among GPUs has no length, but as many batches as it was made of.
        self.steps = len(batches) if hasattr(batches, "__len__") else int(batches.cardinality)

    @property
    def spec(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""
        return str(getattr(self._batches, "element_spec", None))

    def for_epoch(self, epoch: int) -> Any:  # noqa: ARG002 - every epoch reads the same
        """Return what ``model.evaluate`` reads in an epoch."""
        return self._batches


def training_input(
    split: Split, batch_size: int, seed: int, options: FitOptions, to_tensor: ToTensor = as_tensor
) -> TrainingInput:
    """Return the input of a trial's training, for the backend that Keras runs on.

    Args:
        split: (x, y) or (x, y, sample_weight).
        batch_size: Examples per batch; the last batch of an epoch may be smaller.
        seed: Seed of the order of the examples.
        options: Class weights, sample weights and augmentation.
        to_tensor: Makes a tensor of an array, for TensorFlow.

    Raises:
        InvalidTrainable: The weights do not fit the examples.
    """
    arrays = with_weights(split, options)
    steps, shuffled = options.steps_per_epoch, options.shuffle
    if has_sparse(arrays):
        return SparseInput(arrays, batch_size, seed, options.augment, steps, shuffled=shuffled)
    if keras.backend.backend() == "tensorflow":
        return _TensorFlowInput(arrays, batch_size, seed, options.augment, to_tensor, steps, shuffled=shuffled)
    return _NumpyInput(arrays, batch_size, seed, options.augment, steps, shuffled=shuffled)


def batches_in_order(split: Split, batch_size: int, to_tensor: ToTensor = as_tensor) -> Any:
    """Return a split in batches, in its own order, as ``model.evaluate`` and ``model.predict`` read it.

    Args:
        split: (x, y) or (x, y, sample_weight).
        batch_size: Examples per batch; the last one may be smaller.
        to_tensor: Makes a tensor of an array, for TensorFlow.

    Returns:
        A ``tf.data.Dataset`` on TensorFlow, else a ``keras.utils.PyDataset``. Lists of arrays come as tuples.
    """
    if has_sparse(split):
        return sparse_batches(split, batch_size)
    if keras.backend.backend() != "tensorflow":
        return _NumpyBatches(split, np.arange(length(split)), batch_size, None, (0, 0))
    import tensorflow as tf

    tensors = keras.tree.lists_to_tuples(keras.tree.map_structure(to_tensor, split))

    def batch(step: Any) -> Any:
        rows = slice(step * batch_size, (step + 1) * batch_size)
        return keras.tree.map_structure(lambda tensor: tensor[rows], tensors)

    steps = tf.data.Dataset.range(-(-length(split) // batch_size))
    batches = steps.map(batch, num_parallel_calls=2)
    return distribute_batches(read_as_written(batches.prefetch(2)))


class _TensorFlowInput(TrainingInput):
    """A tf.data pipeline that is built once; each epoch only replaces the order that it gathers by."""

    def __init__(
        self,
        arrays: Split,
        batch_size: int,
        seed: int,
        augment: Augment | None,
        to_tensor: ToTensor,
        steps: int | None = None,
        *,
        shuffled: bool = True,
    ) -> None:
        super().__init__(arrays, batch_size, seed, augment, steps, shuffled=shuffled)
        import tensorflow as tf

        with tf.device("CPU"):
            self._order = tf.Variable(np.zeros(self.examples, np.int64), trainable=False)
            self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._dataset = distribute_batches(self._build(to_tensor))

    @property
    def spec(self) -> str:
        return str(self._dataset.element_spec)

    def for_epoch(self, epoch: int) -> Any:
        self._order.assign(self.order(epoch))
        self._epoch.assign(epoch)
        return self._dataset

    def _build(self, to_tensor: ToTensor) -> Any:
        import tensorflow as tf

        tensors = keras.tree.map_structure(to_tensor, self.arrays)

        def batch(step: Any) -> Any:
            rows = self._order[step * self.batch_size : (step + 1) * self.batch_size]
            gathered = keras.tree.map_structure(lambda tensor: tf.gather(tensor, rows), tensors)
            if self.augment is not None:
                x, y, *weights = gathered
                x, y = self.augment(x, y, tf.stack([self.seed + self._epoch, step]))
                gathered = (x, y, *weights)
            return keras.tree.lists_to_tuples(gathered)  # tf.data would stack the arrays of a list

        return read_as_written(tf.data.Dataset.range(self.steps).map(batch).prefetch(2))


class _NumpyInput(TrainingInput):
    """Batches that NumPy gathers, for the backends that do not read tf.data."""

    def for_epoch(self, epoch: int) -> Any:
        return _NumpyBatches(self.arrays, self.order(epoch), self.batch_size, self.augment, (self.seed, epoch))


class _NumpyBatches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    def __init__(
        self,
        arrays: Split,
        order: np.ndarray,
        batch_size: int,
        augment: Augment | None,
        seed_and_epoch: tuple[int, int],
    ) -> None:
        super().__init__()
        self._arrays, self._order, self._batch_size = arrays, order, batch_size
        self._augment, (self._seed, self._epoch) = augment, seed_and_epoch

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, step: int) -> Any:
        rows = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        gathered = keras.tree.map_structure(lambda array: array[rows], self._arrays)
        if self._augment is None:
            return gathered
        x, y, *weights = gathered
        x, y = self._augment(x, y, np.array([self._seed + self._epoch, step], np.int64))
        return (x, y, *weights)
