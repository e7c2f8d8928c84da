"""The options of ``fit``: callbacks, weights, augmentation and batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Augment = Callable[[Any, Any, Any], tuple[Any, Any]]
"""A function of a batch and its seed: ``augment(x, y, seed) -> (x, y)``."""


@dataclass(frozen=True)
class FitOptions:
    """The options with which the epochs of a trial are fitted; each has a default.

    ``KerasTrainable.fit_options`` returns them.

    Attributes:
        callbacks: Keras callbacks, made anew for each trial. They live as long as the trial: their
            ``on_train_begin`` and ``on_train_end`` run once. Their plain attributes (numbers, strings, arrays, and
            lists, tuples and dicts of them) are part of every checkpoint.
        class_weight: The weight of each class label in the loss; a label that is missing weighs 1.
        sample_weight: The weight of each training example in the loss, shape (examples,).
        augment: A function ``augment(x, y, seed) -> (x, y)`` that is called on each training batch inside the input
            pipeline (TensorFlow traces it once into tf.data). ``seed`` is an int64 pair, new for every batch and the
            same when a trial is continued: give it to ``tf.image.stateless_random_*`` and the like.
        validation_batch_size: Examples per validation batch. Large batches are faster, and change no metric that Keras
            sums over examples. A function that returns one number a batch depends on it: see docs/trainables.md.
        steps_per_execution: Training steps per call into the backend; None: 64, unless the model was compiled with
            more than 1.
        steps_per_epoch: Batches per epoch; None: all batches once. The next epoch goes on where this one ended, and
            begins anew at the end of the data. A source without an end needs it.
        validation_steps: Validation batches per epoch, the first ones; None: all.
        shuffle: Whether each epoch has the examples of arrays, or the batches of a ``PyDataset``, in an order of its
            own. Other sources come as they are.

    Example:
        >>> from trainables import FitOptions
        >>> options = FitOptions(class_weight={0: 1.0, 1: 5.0}, validation_batch_size=4096)
        >>> options.callbacks
        ()
    """

    callbacks: Sequence[Any] = ()
    class_weight: Mapping[int, float] | None = None
    sample_weight: np.ndarray | None = None
    augment: Augment | None = field(default=None)
    validation_batch_size: int = 1024
    steps_per_execution: int | None = None
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    shuffle: bool = True
