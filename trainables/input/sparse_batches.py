"""Batches of arrays among which are sparse matrices of SciPy: only the rows of a batch become a tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from trainables.data.nested import Split, is_sparse, length
from trainables.fit_options import Augment
from trainables.input.epoch_order import TrainingInput
from trainables.settings import InvalidTrainable


class SparseInput(TrainingInput):
    """Batches for ``model.fit`` of arrays among which are sparse matrices, in the order of other arrays.

    Raises:
        InvalidTrainable: Keras runs on another backend than TensorFlow.
    """

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
        super().__init__(arrays, batch_size, seed, augment, steps, shuffled=shuffled)
        dataset = _dataset(arrays, batch_size, self.steps, lambda: self._rows)
        import tensorflow as tf

        self._rows = self.order(0)
        with tf.device("CPU"):
            self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._batches = dataset if augment is None else dataset.enumerate().map(self._augmented).prefetch(2)

    @property
    def spec(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""
        return str(self._batches.element_spec)

    def for_epoch(self, epoch: int) -> Any:
        """Return what ``model.fit`` reads in an epoch (counted from 0)."""
        self._rows = self.order(epoch)
        self._epoch.assign(epoch)
        return self._batches

    def _augmented(self, step: Any, batch: Any) -> Any:
        import tensorflow as tf

        x, y, *weights = batch
        if self.augment is not None:
            x, y = self.augment(x, y, tf.stack([self.seed + self._epoch, step]))
        return (x, y, *weights)


def sparse_batches(split: Split, batch_size: int) -> Any:
    """Return a split with sparse matrices in batches, in its own order, as a ``tf.data.Dataset``.

    Args:
        split: (x, y) or (x, y, sample_weight).
        batch_size: Examples per batch; the last one may be smaller.

    Raises:
        InvalidTrainable: Keras runs on another backend than TensorFlow.
    """
    order = np.arange(length(split))
    return _dataset(split, batch_size, -(-len(order) // batch_size), lambda: order)


def sparse_tensor(matrix: Any) -> Any:
    """Return a sparse matrix of SciPy as a tensor of TensorFlow, its numbers in Keras's type of floats, as in ``fit``.

    Args:
        matrix: The matrix, shape (examples, columns).
    """
    import tensorflow as tf

    cells = matrix.tocsr().tocoo()  # row after row
    numbers = cells.data.astype(_dtype(matrix), copy=False)
    return tf.SparseTensor(np.stack([cells.row, cells.col], axis=1).astype(np.int64), numbers, cells.shape)


def _dataset(arrays: Split, batch_size: int, steps: int, rows: Callable[[], np.ndarray]) -> Any:
    if keras.backend.backend() != "tensorflow":
        raise InvalidTrainable(
            f"The data holds a sparse matrix of SciPy, which is read on TensorFlow only, and Keras runs on "
            f"{keras.backend.backend()}: take its .toarray()."
        )
    import tensorflow as tf

    arrays = keras.tree.lists_to_tuples(arrays)

    def read() -> Iterator[Any]:
        order = rows()
        for step in range(steps):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            yield keras.tree.map_structure(lambda array, rows=chosen: _taken(array, rows), arrays)

    signature = keras.tree.map_structure(_spec, arrays)
    dataset = tf.data.Dataset.from_generator(read, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2)


def _taken(array: Any, rows: np.ndarray) -> Any:
    return sparse_tensor(array[rows]) if is_sparse(array) else array[rows]


def _spec(array: Any) -> Any:
    import tensorflow as tf

    if is_sparse(array):
        return tf.SparseTensorSpec([None, array.shape[1]], tf.as_dtype(_dtype(array)))
    dtype = tf.string if array.dtype.kind in "SU" else tf.as_dtype(array.dtype)
    return tf.TensorSpec([None, *array.shape[1:]], dtype)


def _dtype(matrix: Any) -> Any:
    return np.dtype(keras.config.floatx()) if matrix.dtype.kind == "f" else matrix.dtype
