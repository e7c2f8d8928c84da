"""Feeds a model: batches of the shared arrays, in an order that depends only on the seed and the epoch."""

from __future__ import annotations

import copy
import ctypes
from collections.abc import Callable
from typing import Any, Self

import keras
import numpy as np

from trainables.data import Arrays, Split, leaves, length
from trainables.devices.replicas import distributed
from trainables.fit_options import Augment, FitOptions
from trainables.settings import InvalidTrainable

_ALIGNMENT_BYTES = 64

Converted = Callable[[np.ndarray], Any]


def training_input(
    split: Split, batch_size: int, seed: int, options: FitOptions, converted: Converted | None = None
) -> TrainingInput:
    """The input of a trial's training, for the backend that Keras runs on.

    Args:
        split: (x, y) or (x, y, sample_weight).
        batch_size: Examples per batch; the last batch of an epoch may be smaller.
        seed: Seed of the order of the examples.
        options: Class weights, sample weights and augmentation.
        converted: Makes a tensor of an array, for TensorFlow; None: ``as_tensor``.
    """
    arrays = weighted(split, options)
    if keras.backend.backend() == "tensorflow":
        return _TensorFlowInput(arrays, batch_size, seed, options.augment, converted or as_tensor)
    return _NumpyInput(arrays, batch_size, seed, options.augment)


class InOrder:
    """A validation split in batches, as what every epoch reads."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    @property
    def form(self) -> str:
        """Types and shapes of a batch."""
        return str(getattr(self._batches, "element_spec", None))

    def for_epoch(self, epoch: int) -> Any:  # noqa: ARG002 - all read the same
        """What ``model.evaluate`` reads."""
        return self._batches


def validation_input(split: Split, batch_size: int, converted: Converted | None = None) -> Any:
    """The validation split in batches, in its own order."""
    if keras.backend.backend() == "tensorflow":
        return _batches_in_order(split, batch_size, converted or as_tensor)
    return _NumpyBatches(split, np.arange(length(split)), batch_size, None, (0, 0))


class TrainingInput:
    """Batches for ``model.fit``, an epoch at a time.

    Attributes:
        steps: Batches per epoch.
    """

    def __init__(self, arrays: Split, batch_size: int, seed: int, augment: Augment | None) -> None:
        self.arrays = arrays
        self.batch_size = batch_size
        self.seed = seed
        self.augment = augment
        self.examples = length(arrays)
        self.steps = -(-self.examples // batch_size)

    def order(self, epoch: int) -> np.ndarray:
        """The order of the examples in an epoch, a function of seed and epoch.

        So a continued trial sees the batches that an uninterrupted one would have seen.
        """
        return np.random.default_rng([self.seed, epoch]).permutation(self.examples)

    @property
    def form(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""
        return ""

    def with_seed(self, seed: int) -> Self:
        """The same input in other orders: the two must not be read at the same time, and have no augmentation."""
        other = copy.copy(self)
        other.seed = seed
        return other

    def for_epoch(self, epoch: int) -> Any:
        """What ``model.fit`` reads in this epoch (counted from 0)."""
        raise NotImplementedError


class _TensorFlowInput(TrainingInput):
    """A tf.data pipeline built once; each epoch only replaces the order that it gathers by."""

    def __init__(
        self, arrays: Split, batch_size: int, seed: int, augment: Augment | None, converted: Converted
    ) -> None:
        super().__init__(arrays, batch_size, seed, augment)
        import tensorflow as tf

        with tf.device("CPU"):
            self._order = tf.Variable(np.zeros(self.examples, np.int64), trainable=False)
            self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._dataset = distributed(self._build(converted))

    @property
    def form(self) -> str:
        return str(self._dataset.element_spec)

    def for_epoch(self, epoch: int) -> Any:
        self._order.assign(self.order(epoch))
        self._epoch.assign(epoch)
        return self._dataset

    def _build(self, converted: Converted) -> Any:
        import tensorflow as tf

        tensors = keras.tree.map_structure(converted, self.arrays)

        def batch(step: Any) -> Any:
            chosen = self._order[step * self.batch_size : (step + 1) * self.batch_size]
            gathered = keras.tree.map_structure(lambda tensor: tf.gather(tensor, chosen), tensors)
            if self.augment is None:
                return gathered
            x, y, *weights = gathered
            x, y = self.augment(x, y, tf.stack([self.seed + self._epoch, step]))
            return (x, y, *weights)

        return tf.data.Dataset.range(self.steps).map(batch).prefetch(2)


class _NumpyInput(TrainingInput):
    """Batches gathered by NumPy, for the backends that do not read tf.data."""

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
        chosen = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        gathered = keras.tree.map_structure(lambda array: array[chosen], self._arrays)
        if self._augment is None:
            return gathered
        x, y, *weights = gathered
        x, y = self._augment(x, y, np.array([self._seed + self._epoch, step], np.int64))
        return (x, y, *weights)


def weighted(split: Split, options: FitOptions) -> Split:
    """The split with the weight of each example as its third part, where there are weights at all.

    Class weights become sample weights here, once: given to ``fit`` they would be mapped over the data set,
    and traced, anew in every epoch.

    Raises:
        InvalidTrainable: ``FitOptions.sample_weight`` has not one weight an example.
    """
    if options.sample_weight is None and options.class_weight is None:
        return split
    x, y, *rest = split
    factors = [np.asarray(weight, np.float32) for weight in rest]
    if options.sample_weight is not None:
        factors.append(np.asarray(options.sample_weight, np.float32))
    if options.class_weight is not None:
        factors.append(_class_weights(y, dict(options.class_weight)))
    shapes = {factor.shape for factor in factors}
    if shapes != {(length(split),)}:
        raise InvalidTrainable(
            f"The sample weights have the shapes {', '.join(map(str, sorted(shapes)))}, but must have one "
            f"weight for each of the {length(split)} training examples: shape ({length(split)},)."
        )
    return (x, y, np.prod(factors, axis=0, dtype=np.float32))


def _class_weights(y: Arrays, weights: dict[int, float]) -> np.ndarray:
    labels, *others = leaves(y)
    if others:
        raise InvalidTrainable(
            "FitOptions.class_weight is given, but the data has several outputs: give sample_weight instead."
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    result = np.ones(len(labels), np.float32)
    for label, weight in weights.items():
        result[labels.reshape(len(labels)) == label] = weight
    return result


def _batches_in_order(split: Split, batch_size: int, converted: Converted) -> Any:
    import tensorflow as tf

    tensors = keras.tree.map_structure(converted, split)

    def batch(step: Any) -> Any:
        rows = slice(step * batch_size, (step + 1) * batch_size)
        return keras.tree.map_structure(lambda tensor: tensor[rows], tensors)

    return distributed(tf.data.Dataset.range(-(-length(split) // batch_size)).map(batch).prefetch(2))


def as_tensor(array: np.ndarray) -> Any:
    """The array as a TensorFlow tensor over the same memory, wherever that is possible.

    The arrays of a run lie in Ray's object store, one copy per machine, read-only. TensorFlow takes foreign
    memory through DLPack, which knows no read-only arrays: so it gets a writable view of them, and never
    writes to it.
    """
    import tensorflow as tf

    with tf.device("CPU"):
        if _is_shareable(array):
            return tf.experimental.dlpack.from_dlpack(_writable_view(array).__dlpack__())
        return tf.convert_to_tensor(array)


def _is_shareable(array: np.ndarray) -> bool:
    # TensorFlow aborts the process at the first use of a tensor that is not aligned; what comes from the
    # object store is. DLPack knows native numbers only.
    return (
        bool(array.flags.c_contiguous)
        and array.nbytes > 0
        and array.dtype.isnative
        and array.dtype.kind in "iuf"
        and array.ctypes.data % _ALIGNMENT_BYTES == 0
    )


def _writable_view(array: np.ndarray) -> np.ndarray:
    if array.flags.writeable:
        return array
    memory = (ctypes.c_char * array.nbytes).from_address(array.ctypes.data)
    memory._owner = array  # type: ignore[attr-defined]  # the view must not outlive the memory it shows
    return np.ndarray(array.shape, array.dtype, memoryview(memory))
