"""The batches of a source that a model is validated on, or evaluated."""

from __future__ import annotations

from typing import Any

import keras

from trainables.data.py_datasets import Batches
from trainables.input.sources.read_checks import ANY_LABELS, LabelRules, ended_as_read
from trainables.settings import InvalidTrainable


class ValidationBatches:
    """Batches of a source for ``model.evaluate``, all of them, or as many as the options say.

    Args:
        name: The name of the split.
        batches: The batches: a ``tf.data.Dataset`` or a ``PyDataset``.
        steps: The number of batches; None: all.
        is_endless: Whether they have no end.
        rules: The labels that the model can be judged by.

    Raises:
        InvalidTrainable: The source has no end, and the options do not say how many batches are to be read.
    """

    def __init__(
        self, name: str, batches: Any, steps: int | None, *, is_endless: bool, rules: LabelRules = ANY_LABELS
    ) -> None:
        if is_endless and steps is None:
            raise InvalidTrainable(endless(name, "validation_steps"))
        if _is_py_dataset(batches):
            count = steps if batches.num_batches is None else min(steps or batches.num_batches, batches.num_batches)
            self._batches: Any = Batches(batches, range(count or 0), rules.checked_change(f"Data.{name}"))
            self._has_known_number = True
            return
        self._batches = rules.check_as_read(batches if steps is None else batches.take(steps), f"Data.{name}")
        self._has_known_number = int(self._batches.cardinality()) >= 0
        if not self._has_known_number:
            self._batches = ended_as_read(self._batches, f"Data.{name}", "validation_steps")

    @property
    def spec(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""
        return str(getattr(self._batches, "element_spec", None))

    @property
    def steps(self) -> int | None:
        """The number of batches; None where nobody knows before they are read."""
        if _is_py_dataset(self._batches):
            return int(self._batches.num_batches)
        return int(self._batches.cardinality()) if self._has_known_number else None

    def for_epoch(self, epoch: int) -> Any:  # noqa: ARG002 - every epoch reads the same
        """Return what ``model.evaluate`` reads in an epoch."""
        return self._batches


def endless(name: str, option: str = "steps_per_epoch") -> str:
    """Return the sentence about a source without an end."""
    return (
        f"Data.{name} has no end, so an epoch would have none either: say how many batches it has with "
        f"FitOptions({option}=…) in fit_options, or let it end (no .repeat(), a generator that returns)."
    )


def _is_py_dataset(batches: Any) -> bool:
    return isinstance(batches, keras.utils.PyDataset)
