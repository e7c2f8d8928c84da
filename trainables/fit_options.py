"""The options of ``fit``: callbacks, weights, augmentation and batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any, Self

import numpy as np

from trainables.settings import InvalidTrainable

_NOT_HERE = {
    "batch_size": "it is a parameter of the space, or an attribute of the class",
    "epochs": "the experiment says how many, with max_epochs",
    "initial_epoch": "a trial begins with the first epoch, and goes on where it was cut",
    "validation_data": "load_data returns it, as Data(validation=…)",
    "validation_freq": "every epoch is validated, because trials are judged by their epochs",
    "validation_split": "load_data divides the data: trainables.split does it for arrays",
    "verbose": "a run shows its progress itself",
    "x": "load_data returns it, as Data(train=…)",
    "y": "load_data returns it, as Data(train=…)",
}
_COUNTS = ("validation_batch_size", "steps_per_execution", "steps_per_epoch", "validation_steps")
_NEVER_NONE = ("validation_batch_size",)

Augment = Callable[[Any, Any, Any], tuple[Any, Any]]
"""A function of a batch and its seed: ``augment(x, y, seed) -> (x, y)``."""


@dataclass(frozen=True)
class FitOptions:
    """The options with which the epochs of a trial are fitted; each has a default.

    ``KerasTrainable.fit_options`` returns them. The other arguments of ``fit`` have their places elsewhere, and the
    error says where.

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

    Raises:
        InvalidTrainable: A value is wrong, or an option is unknown; all mistakes are listed.

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

    def __new__(cls, *_: Any, **options: Any) -> Self:
        """Refuse options that are none, before Python does so in words of its own."""
        known = [each.name for each in fields(cls)]
        if unknown := [name for name in options if name not in known]:
            raise InvalidTrainable(" ".join(_unknown(name, known) for name in unknown))
        return super().__new__(cls)

    def __post_init__(self) -> None:
        problems = [
            f"The value of `{name}` is {_short(value)}, but must be a whole number >= 1."
            for name in _COUNTS
            if not _is_count(value := getattr(self, name)) and (value is not None or name in _NEVER_NONE)
        ]
        if isinstance(self.callbacks, str) or not isinstance(self.callbacks, Sequence):
            problems.append(
                f"The value of `callbacks` is {_short(self.callbacks)}, but must be a list of Keras callbacks."
            )
        if self.class_weight is not None and not _are_class_weights(self.class_weight):
            problems.append(
                f"The value of `class_weight` is {_short(self.class_weight)}, but must be a dict of a weight for each "
                "class, by the number of the class: {0: 1.0, 1: 5.0}."
            )
        if self.augment is not None and not callable(self.augment):
            problems.append(f"The value of `augment` is {_short(self.augment)}, but must be a function of x, y, seed.")
        if not isinstance(self.shuffle, bool | np.bool_):
            problems.append(f"The value of `shuffle` is {_short(self.shuffle)}, but must be True or False.")
        if problems:
            raise InvalidTrainable("FitOptions: " + " ".join(problems))


def _unknown(name: str, known: Sequence[str]) -> str:
    if name in _NOT_HERE:
        return f"FitOptions has no `{name}`: {_NOT_HERE[name]}."
    return f"FitOptions has no `{name}`: it has {', '.join(known)}."


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def _are_class_weights(weights: Any) -> bool:
    return isinstance(weights, Mapping) and all(
        isinstance(label, Real) and float(label).is_integer() and isinstance(weight, Real)
        for label, weight in weights.items()
    )


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
