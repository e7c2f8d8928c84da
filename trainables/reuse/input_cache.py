"""The inputs that a worker keeps between trials: its arrays as tensors, its pipelines, and its open sources."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeVar

import keras
import numpy as np

from trainables.data import Data
from trainables.data.kinds import Kind, is_source, kind_of
from trainables.data.nested import has_sparse, leaves, rows_of
from trainables.devices.replicas import is_distributed
from trainables.fit_options import FitOptions
from trainables.input.examples import first_example, fixed_batch_size
from trainables.input.gathered_jax import as_array
from trainables.input.gathered_steps import GatheredInput, can_gather, can_hold
from trainables.input.pipeline import ValidationInput, batches_in_order, training_input
from trainables.input.sources.open_source import OpenSource
from trainables.input.sources.read_checks import ANY_LABELS, LabelRules
from trainables.input.sources.source_inputs import DatasetInput, PyDatasetInput
from trainables.input.sources.validation_batches import ValidationBatches
from trainables.input.tensors import as_tensor
from trainables.input.weights import with_weights
from trainables.settings import InvalidTrainable

_MOST_PIPELINES = 8

Pipeline = TypeVar("Pipeline")


class FitInput(Protocol):
    """The input of a trial, an epoch at a time."""

    @property
    def steps(self) -> int | None:
        """Batches per epoch; None where nobody knows before it is over."""

    @property
    def spec(self) -> str:
        """Types and shapes of a batch, on which the traces of a model depend."""

    @property
    def counted(self) -> int | None:
        """The number of batches of the last epoch; None where it was known before."""

    def for_epoch(self, epoch: int) -> Any:
        """Return what ``model.fit`` reads in an epoch (counted from 0)."""


class InputCache:
    """The inputs of a worker's trials: an array is made a tensor once, and a plain pipeline once per batch size.

    Trials that take turns within a process, an epoch each, may share a pipeline. An input with weights or an
    augmentation is a trial's own: those belong to its configuration. A source is opened once.

    Args:
        data: The data that all trials of the worker are trained on.
        shared: The cache of the worker, for data that was prepared for one trial.

    Attributes:
        data: The data.
        kept: The identities of the arrays and sources that all trials of the worker share.
        tensors: The tensors of shared arrays that had to be copied, by the identities of the arrays.
    """

    def __init__(self, data: Data, shared: InputCache | None = None) -> None:
        self.data = data
        self.kept: frozenset[int] = shared.kept if shared else _parts(data)
        self.tensors: dict[int, Any] = shared.tensors if shared else {}
        self._worker = shared
        self._sources: dict[str, OpenSource] = {}
        self._pipelines: dict[Hashable, Any] = {}

    def of(self, data: Data) -> InputCache:
        """Return the inputs of data that was prepared for one trial; these inputs, if it is the worker's own."""
        return self if data is self.data else InputCache(data, self)

    def training(
        self, model: Any, batch_size: int, seed: int, options: FitOptions, rules: LabelRules = ANY_LABELS
    ) -> FitInput:
        """Return the input that a model is trained on.

        Args:
            model: A compiled ``keras.Model``.
            batch_size: Examples per batch.
            seed: Seed of the order of the examples.
            options: Class weights, sample weights, augmentation, and the number of batches of an epoch.
            rules: The labels that the model can be trained on, which a source is checked for as it is read.

        Raises:
            InvalidTrainable: The weights do not fit the examples, or a source is empty or endless.
        """
        split, steps = self.data.train, options.steps_per_epoch
        if kind_of(split) is Kind.PY_DATASET:
            return PyDatasetInput("train", split, seed, options, rules)
        if is_source(split):
            source = self.source("train")
            return DatasetInput(source, source.batches(model, batch_size), seed, options, rules)
        if options.augment is None and can_gather(model) and can_hold(split):
            arrays = with_weights(split, options)
            return GatheredInput(
                arrays, batch_size, seed, self._tensor, model.steps_per_execution, steps, shuffled=options.shuffle
            )

        def build() -> Any:
            return training_input(split, batch_size, seed, options, self._tensor)

        is_plain = options.augment is None and options.class_weight is None and options.sample_weight is None
        if not is_plain or steps is not None or not options.shuffle or has_sparse(split):
            return build()  # type: ignore[no-any-return]
        return self._kept(("training", batch_size), build).with_seed(seed)  # type: ignore[no-any-return]

    def validation(self, model: Any, options: FitOptions, rules: LabelRules = ANY_LABELS) -> Any:
        """Return the input that a model is validated on; None where the data has no validation split.

        Args:
            model: A compiled ``keras.Model``.
            options: The number of examples per batch, and of batches.
            rules: The labels that the model can be judged by, which a source is checked for as it is read.

        Raises:
            InvalidTrainable: A source is empty or endless.
        """
        split, steps = self.data.validation, options.validation_steps
        batch_size = fixed_batch_size(model) or options.validation_batch_size
        if split is None:
            return None
        if kind_of(split) is Kind.PY_DATASET:
            is_endless = split.num_batches is None
            return ValidationBatches("validation", split, steps, is_endless=is_endless, rules=rules)
        if is_source(split):
            source = self.source("validation")
            batches = source.batches(model, batch_size)
            return ValidationBatches("validation", batches, steps, is_endless=source.is_endless, rules=rules)
        if steps is not None:
            split = rows_of(split, np.s_[: steps * batch_size])
        if can_gather(model) and can_hold(split):
            return GatheredInput(split, batch_size, 0, self._tensor, model.steps_per_execution, shuffled=False)
        batches = self._kept(
            ("validation", batch_size, steps), lambda: batches_in_order(split, batch_size, self._tensor)
        )
        return ValidationInput(batches)

    def example(self, model: Any, batch_size: int) -> Any:
        """Return an example (x, y, …) of the training split, with its axis of examples."""
        return self._example("train", model, batch_size)

    def validation_example(self, model: Any, batch_size: int) -> Any:
        """Return an example (x, y, …) of the validation split; None where it is empty."""
        try:
            return self._example("validation", model, batch_size)
        except InvalidTrainable:
            return None

    def _example(self, name: str, model: Any, batch_size: int) -> Any:
        split = getattr(self.data, name)
        if kind_of(split) is Kind.PY_DATASET:
            batch = split[0]
            return first_example(tuple(batch) if isinstance(batch, list | tuple) else (batch,))
        return self.source(name).example(model, batch_size) if is_source(split) else first_example(split)

    def check_batch_size(self, model: Any) -> None:
        """Check that a ``batch_size`` of the configuration has something to batch.

        Raises:
            InvalidTrainable: The training split is batched already, and was not prepared for the trial.
        """
        split = self.data.train
        if not is_source(split) or id(split) not in self.kept:
            return
        kind = kind_of(split)
        if kind is Kind.PY_DATASET or self.source("train").is_batched(model):
            how = "take its .unbatch()" if kind is Kind.DATASET else "let it yield single examples"
            raise InvalidTrainable(
                f"The configuration has a `batch_size`, but Data.train is {kind} that is batched already: {how}, or "
                "batch it by the configuration in prepare(self, data, config), or take `batch_size` out of the space."
            )

    def source(self, name: str) -> OpenSource:
        """Return the open source of a split."""
        split = getattr(self.data, name)
        if self._worker is not None and getattr(self._worker.data, name) is split:
            return self._worker.source(name)
        if name not in self._sources:
            self._sources[name] = OpenSource(name, split, self.data.label)
        return self._sources[name]

    def tensors_of(self, arrays: Any) -> Any:
        """Return arrays as tensors, in the structure that a model takes: those of the data are copied once at most."""
        return keras.tree.lists_to_tuples(keras.tree.map_structure(self._tensor, arrays))

    def _kept(self, key: Hashable, build: Callable[[], Pipeline]) -> Pipeline:
        if keras.backend.backend() != "tensorflow" or is_distributed():
            return build()
        pipeline: Pipeline = self._pipelines.pop(key) if key in self._pipelines else build()
        self._pipelines[key] = pipeline  # the newest last
        while len(self._pipelines) > _MOST_PIPELINES:
            del self._pipelines[next(iter(self._pipelines))]
        return pipeline

    def _tensor(self, array: Any) -> Any:
        """Return an array as the backend has it. An array of the data that has to be copied for that is copied once."""
        convert = as_array if keras.backend.backend() == "jax" else as_tensor
        if id(array) not in self.kept:
            return convert(array)
        if id(array) not in self.tensors:
            self.tensors[id(array)] = convert(array)
        return self.tensors[id(array)]


def _parts(data: Data) -> frozenset[int]:
    """Return the identities of the arrays and sources that a worker keeps."""
    splits = [split for split in (data.train, data.validation) if split is not None]
    return frozenset(id(part) for split in splits for part in ([split] if is_source(split) else leaves(split)))
