"""The inputs of a training that are read from sources, an epoch at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from trainables.data.nested import leaves
from trainables.data.py_datasets import Batches
from trainables.fit_options import FitOptions
from trainables.input.class_weights import weights_of
from trainables.input.sources.open_source import OpenSource
from trainables.input.sources.read_checks import ANY_LABELS, LabelRules, ended_as_read
from trainables.input.sources.validation_batches import endless
from trainables.settings import InvalidTrainable

_LARGEST_COPY_BYTES = 16 * 2**20


class DatasetInput:
    """Batches of a ``tf.data.Dataset`` for ``model.fit``, an epoch at a time.

    Args:
        source: The source of the batches.
        batches: Its batches.
        seed: The seed of augmentation.
        options: Class weights, augmentation, and the number of batches of an epoch.
        rules: The labels that the model can be trained on.

    Attributes:
        steps: Batches per epoch; None where nobody knows before it is over.

    Raises:
        InvalidTrainable: The source has no end, and the options do not say how long an epoch is; or the options have
            weights of single examples.
    """

    def __init__(
        self, source: OpenSource, batches: Any, seed: int, options: FitOptions, rules: LabelRules = ANY_LABELS
    ) -> None:
        import tensorflow as tf

        _refuse_sample_weight(source.name, options)
        self._source = source
        self._seed = seed
        self._options = options
        count = int(batches.cardinality())
        if source.is_endless and options.steps_per_epoch is None:
            raise InvalidTrainable(endless(source.name))
        with tf.device("CPU"):
            self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._count = tf.Variable(0, dtype=tf.int64, trainable=False)
        batches = rules.check_as_read(batches, f"Data.{source.name}")
        self._stream: Any = None
        self._next_epoch = 0
        if options.steps_per_epoch is not None:
            self.steps: int | None = options.steps_per_epoch
            self._batches = batches if count == tf.data.INFINITE_CARDINALITY else batches.repeat()
        else:
            self.steps = count if count >= 0 else None
            if self.steps is None:
                batches = ended_as_read(batches, f"Data.{source.name}", "steps_per_epoch")
            self._batches = self._changed(batches)

    @property
    def spec(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""
        return f"{self._batches.element_spec}{'' if self.steps else ' of unknown number'}"

    @property
    def counted(self) -> int | None:
        """The number of batches of the last epoch; None where it was known before."""
        return int(self._count.numpy()) if self.steps is None else None

    def for_epoch(self, epoch: int) -> Any:
        """Return what ``model.fit`` reads in an epoch (counted from 0).

        A data set that shuffles anew draws a seed whenever it is read. Epochs that were trained elsewhere, before the
        trial was continued here, are therefore begun and not read: the order is that of a trial that was not cut.
        """
        self._source.epoch = epoch
        self._epoch.assign(epoch)
        self._count.assign(0)
        if self._options.steps_per_epoch is not None:
            return self._next_part(epoch)
        for _ in range(self._next_epoch, epoch):
            # Where Keras knows the number of batches, it makes a second iterator when an epoch is over.
            for _ in range(1 if self.steps is None else 2):
                iter(self._batches)
        self._next_epoch = epoch + 1
        return self._batches

    def _next_part(self, epoch: int) -> Any:
        """Return the next batches of a stream that goes on from epoch to epoch, around the data again and again."""
        import tensorflow as tf

        steps = self._options.steps_per_epoch or 0
        if self._stream is None or self._next_epoch != epoch:
            iterator = iter(self._batches.skip(epoch * steps) if epoch else self._batches)
            part = tf.data.Dataset.range(steps).map(lambda _: iterator.get_next())
            self._stream = iterator, self._changed(part)
        self._next_epoch = epoch + 1
        return self._stream[1]

    def _changed(self, batches: Any) -> Any:
        """Return batches with weights and augmentation, and counted if their number is not known."""
        options, is_changed = self._options, False
        if options.class_weight is not None:
            batches, is_changed = batches.map(self._weighted), True
        if options.augment is not None:
            batches, is_changed = batches.enumerate().map(self._augmented), True
        if self.steps is None:
            batches, is_changed = batches.map(self._counted), True
        return batches.prefetch(2) if is_changed else batches

    def _counted(self, *batch: Any) -> Any:
        self._count.assign_add(1)
        return batch if len(batch) > 1 else batch[0]

    def _weighted(self, *batch: Any) -> Any:
        x, y, *weights = _labelled(batch, "class_weight")
        factor = weights_of(y, dict(self._options.class_weight or {}))
        return x, y, factor * keras.ops.cast(weights[0], "float32") if weights else factor

    def _augmented(self, step: Any, batch: Any) -> Any:
        import tensorflow as tf

        x, y, *weights = _labelled(batch if isinstance(batch, tuple) else (batch,), "augment")
        if self._options.augment is not None:
            x, y = self._options.augment(x, y, tf.stack([self._seed + self._epoch, step]))
        return (x, y, *weights)


class PyDatasetInput:
    """Batches of a ``keras.utils.PyDataset`` for ``model.fit``, an epoch at a time, made by its own workers.

    Each epoch has the batches in an order that depends only on the seed and the epoch, as ``fit`` shuffles them, unless
    the options say no. Each trial reads a copy of its own, unless that would be large: what the source does at the end
    of an epoch, such as shuffling its examples, is then the same for a trial that is continued.

    Args:
        name: The name of the split.
        source: The source.
        seed: Seed of the order of the batches.
        options: Class weights, augmentation, and the number of batches of an epoch.
        rules: The labels that the model can be trained on.

    Attributes:
        steps: Batches per epoch.
        counted: None: the number of batches is known before.

    Raises:
        InvalidTrainable: As for ``DatasetInput``.
    """

    counted = None

    def __init__(self, name: str, source: Any, seed: int, options: FitOptions, rules: LabelRules = ANY_LABELS) -> None:
        _refuse_sample_weight(name, options)
        if source.num_batches is None and options.steps_per_epoch is None:
            raise InvalidTrainable(endless(name))
        self._name = name
        self._rules = rules
        self._source = own_copy(source)
        self._seed = seed
        self._options = options
        self._begun = 0
        self.steps: int = options.steps_per_epoch or source.num_batches

    @property
    def spec(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""
        parts = [(getattr(part, "dtype", type(part)), np.shape(part)[1:]) for part in leaves(self._source[0])]
        return f"{parts} of a PyDataset"

    def for_epoch(self, epoch: int) -> Any:
        """Return what ``model.fit`` reads in an epoch (counted from 0)."""
        for _ in range(self._begun, epoch + 1):
            self._source.on_epoch_end()  # Keras calls it once before the first epoch, too
        self._begun = epoch + 1
        self._source.on_epoch_begin()
        has_changes = self._options.augment is not None or self._options.class_weight is not None
        change = (lambda batch, step: self._changed(batch, epoch, step)) if has_changes else None
        return Batches(self._source, self._order(epoch), self._rules.checked_change(f"Data.{self._name}", change))

    def _order(self, epoch: int) -> list[int]:
        positions = range(epoch * self.steps, (epoch + 1) * self.steps)
        count = self._source.num_batches
        if count is None:
            return list(positions)
        passes = {position // count: self._pass(position // count, count) for position in positions}
        return [int(passes[position // count][position % count]) for position in positions]

    def _pass(self, number: int, count: int) -> np.ndarray:
        if not self._options.shuffle:
            return np.arange(count)
        return np.random.default_rng([self._seed, number]).permutation(count)

    def _changed(self, batch: Any, epoch: int, step: int) -> Any:
        x, y, *weights = _labelled(tuple(batch), "class_weight or augment")
        if self._options.class_weight is not None:
            factor = weights_of(y, dict(self._options.class_weight))
            weights = [np.asarray(factor) * np.asarray(weights[0], np.float32) if weights else np.asarray(factor)]
        if self._options.augment is not None:
            x, y = self._options.augment(x, y, np.array([self._seed + epoch, step], np.int64))
        return (x, y, *weights)


def own_copy(source: Any) -> Any:
    """Return a copy of a ``PyDataset``; the ``PyDataset`` itself if it is large, or cannot be copied."""
    size = sum(part.nbytes for value in vars(source).values() for part in _arrays(value))
    if size > _LARGEST_COPY_BYTES:
        return source
    try:
        return copy.deepcopy(source)
    except Exception:  # noqa: BLE001 - a handle of a file, a lock: such a source is shared
        return source


def _arrays(value: Any) -> Iterator[np.ndarray]:
    return (part for part in leaves(value) if isinstance(part, np.ndarray))


def _labelled(batch: tuple[Any, ...], option: str) -> tuple[Any, ...]:
    if len(batch) < 2:
        raise InvalidTrainable(f"FitOptions.{option} is given, but Data.train yields no labels: it must yield (x, y).")
    return batch


def _refuse_sample_weight(name: str, options: FitOptions) -> None:
    if options.sample_weight is not None:
        raise InvalidTrainable(
            f"FitOptions.sample_weight has a weight for each example of an array, but Data.{name} is a source: let it "
            "yield (x, y, sample_weight)."
        )
