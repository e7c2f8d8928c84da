"""How an epoch is fitted, beyond the model and the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Augment = Callable[[Any, Any, Any], tuple[Any, Any]]


@dataclass(frozen=True)
class FitOptions:
    """What ``KerasTrainable.fit_options`` returns: everything has a default.

    Attributes:
        callbacks: Keras callbacks, made anew for each trial. They live as long as the trial (their
            ``on_train_begin`` and ``on_train_end`` run once) and their plain attributes (numbers, strings,
            arrays, and lists, tuples and dicts of them) are part of every checkpoint.
        class_weight: Weight of each class label in the loss; a label that is missing weighs 1.
        sample_weight: Weight of each training example in the loss, shape (examples,).
        augment: ``augment(x, y, seed) -> (x, y)``, called on each training batch inside the input pipeline
            (TensorFlow: traced once into tf.data). ``seed`` is an int64 pair, new for every batch and the
            same when a trial is continued: give it to ``tf.image.stateless_random_*`` and the like.
        validation_batch_size: Examples per validation batch; large ones are faster and change no result.
        steps_per_execution: Training steps per call into the backend; None: chosen from the number of batches
            unless the model was compiled with more than 1.
    """

    callbacks: Sequence[Any] = ()
    class_weight: Mapping[int, float] | None = None
    sample_weight: np.ndarray | None = None
    augment: Augment | None = field(default=None)
    validation_batch_size: int = 1024
    steps_per_execution: int | None = None
