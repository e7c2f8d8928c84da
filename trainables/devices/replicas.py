"""A trial on several GPUs: one copy of the model on each, which see their parts of every batch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from trainables.data import Data, Split, length


def note(backend: str, gpus: float | None) -> str | None:
    """What is worth knowing of a backend before it is given several GPUs; None: nothing."""
    if backend == "torch" and gpus is not None and gpus > 1:
        return f"Of its {gpus:g} GPUs, a trial uses only the first: Keras on PyTorch does not divide the work."
    return None


def count(gpus: float | None) -> int:
    """On how many devices the work of a trial in this process is divided."""
    import keras

    if gpus is None or gpus <= 1 or keras.backend.backend() == "torch":
        return 1
    return max(1, len(_devices(keras.backend.backend())))


def scope(gpus: float | None) -> AbstractContextManager[Any]:
    """Within which the model of a trial is made, so that it is on all of its devices."""
    import keras

    if count(gpus) == 1:
        return nullcontext()
    if keras.backend.backend() == "tensorflow":
        return _mirrored().scope()  # type: ignore[no-any-return]
    return keras.distribution.DataParallel(devices=_devices("jax")).scope()  # type: ignore[no-any-return]


def in_scope() -> bool:
    """Whether a model that is made now is on several devices."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(tf.distribute.has_strategy())
    return keras.distribution.distribution() is not None


def distributed(dataset: Any) -> Any:
    """A data set of TensorFlow whose batches are divided among the devices in whose scope this is called.

    ``fit`` would do it itself, but anew in every epoch, each of which then takes longer than the one before.
    """
    if not in_scope():
        return dataset
    import tensorflow as tf

    return tf.distribute.get_strategy().experimental_distribute_dataset(dataset)


def even(data: Data, config: Mapping[str, Any], batch_size: int, replicas: int) -> Data:
    """The data, cut so that no batch leaves a replica without an example: its loss would be NaN, and the mean of all.

    At most ``replicas - 1`` examples of each split are left out, the last ones.

    Raises:
        ValueError: The batches of this configuration cannot be divided evenly.
    """
    batch_size = int(config.get("batch_size", batch_size))
    if batch_size % replicas:
        raise ValueError(
            f"The value of `batch_size` is {batch_size}, but on {replicas} GPUs it must be a multiple of {replicas}: "
            f"Int(…, step={replicas}) proposes no others."
        )
    if replicas == 1:
        return data
    validation = data.validation and _cut(data.validation, replicas)
    return replace(data, train=_cut(data.train, replicas), validation=validation)


def _cut(split: Split, replicas: int) -> Split:
    import keras

    most = length(split) - length(split) % replicas
    cut: Split = keras.tree.map_structure(lambda array: np.asarray(array)[:most], split)
    return cut


def _devices(backend: str) -> list[Any]:
    if backend == "tensorflow":
        import tensorflow as tf

        return list(tf.config.list_logical_devices("GPU"))
    import keras

    return list(keras.distribution.list_devices("gpu"))


@cache
def _mirrored() -> Any:
    """One for the whole worker: each would have its own connections between the devices."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy([device.name for device in _devices("tensorflow")])
