"""A trial on several GPUs: each has a copy of the model, and trains on its part of every batch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from trainables.data import Data
from trainables.data.kinds import is_source
from trainables.data.nested import Split, is_sparse, length


def multi_gpu_note(backend: str, gpus: float | None) -> str | None:
    """Return a note for the person who gives a backend several GPUs; None: there is nothing to note."""
    if backend == "torch" and gpus is not None and gpus > 1:
        return f"Of its {gpus:g} GPUs, a trial uses only the first: Keras on PyTorch does not divide the work."
    return None


def count_devices(gpus: float | None) -> int:
    """Return the number of devices among which the work of a trial is divided."""
    import keras

    if gpus is None or gpus <= 1 or keras.backend.backend() == "torch":
        return 1
    return max(1, len(visible_devices(keras.backend.backend())))


def device_scope(gpus: float | None) -> AbstractContextManager[Any]:
    """Return the context within which the model of a trial is built, so that it is on all of its devices."""
    import keras

    if count_devices(gpus) == 1:
        return nullcontext()
    if keras.backend.backend() == "tensorflow":
        return _mirrored().scope()  # type: ignore[no-any-return]
    return keras.distribution.DataParallel(devices=visible_devices("jax")).scope()  # type: ignore[no-any-return]


def is_distributed() -> bool:
    """Return whether a model that is built now is on several devices."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(tf.distribute.has_strategy())
    return keras.distribution.distribution() is not None


def distribute_batches(dataset: Any) -> Any:
    """Return a data set of TensorFlow whose batches are divided among the devices of the scope that is active.

    ``fit`` would do it itself, but anew in every epoch, and each epoch would take longer than the one before.
    """
    if not is_distributed():
        return dataset
    import tensorflow as tf

    return tf.distribute.get_strategy().experimental_distribute_dataset(dataset)


def cut_evenly(data: Data, config: Mapping[str, Any], batch_size: int, replicas: int) -> Data:
    """Return the data, cut so that every batch has an example for each replica.

    The loss of a replica without an example would be NaN, and with it the mean of all. At most ``replicas - 1``
    examples of each split are left out, the last ones.

    Args:
        data: The data of the run.
        config: The configuration, which may have a ``batch_size``.
        batch_size: Examples per batch if the configuration has no ``batch_size``.
        replicas: The number of devices.

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
    validation = None if data.validation is None else _cut(data.validation, replicas)
    return replace(data, train=_cut(data.train, replicas), validation=validation)


def _cut(split: Split, replicas: int) -> Split:
    import keras

    if is_source(split):
        return split  # nobody knows how many examples it has
    most = length(split) - length(split) % replicas
    shortened: Split = keras.tree.map_structure(
        lambda array: (array if is_sparse(array) else np.asarray(array))[:most], split
    )
    return shortened


def visible_devices(backend: str) -> list[Any]:
    """Return the GPUs that a backend sees."""
    if backend == "tensorflow":
        import tensorflow as tf

        return list(tf.config.list_logical_devices("GPU"))
    import keras

    return list(keras.distribution.list_devices("gpu"))


@cache
def _mirrored() -> Any:
    """Return the strategy of this worker: each strategy has its own connections between the devices, so one is kept."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy([device.name for device in visible_devices("tensorflow")])
