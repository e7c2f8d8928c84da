"""The inputs of a worker's trials: its data is turned into tensors once, and into batches once per batch size."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import keras

from trainables.data import Data, leaves
from trainables.devices.replicas import in_scope
from trainables.fit_options import FitOptions
from trainables.input.gathered_steps import GatheredInput, gathers
from trainables.input.pipeline import InOrder, TrainingInput, as_tensor, training_input, validation_input, weighted

_MOST_PIPELINES = 8

Built = TypeVar("Built")


class Inputs:
    """Builds the pipelines of one Data, and keeps the plain ones for the next trial.

    Trials that take turns within a process, an epoch each, may share a pipeline. What has weights or an augmentation
    is a trial's own: those belong to its configuration.

    Args:
        data: What all trials of the worker are trained on.
    """

    def __init__(self, data: Data) -> None:
        self.data = data
        self._own = {id(array) for split in (data.train, data.validation or ()) for array in leaves(split)}
        self._tensors: dict[int, Any] = {}
        self._pipelines: dict[Hashable, Any] = {}

    def training(self, model: Any, batch_size: int, seed: int, options: FitOptions) -> TrainingInput:
        """What a model is trained on: see ``training_input``."""
        split = self.data.train
        if options.augment is None and gathers(model):
            arrays = weighted(split, options)
            return GatheredInput(arrays, batch_size, seed, self._converted, model.steps_per_execution)

        def build() -> TrainingInput:
            return training_input(split, batch_size, seed, options, self._converted)

        is_plain = options.augment is None and options.class_weight is None and options.sample_weight is None
        return self._kept(("training", batch_size), build).with_seed(seed) if is_plain else build()

    def validation(self, model: Any, batch_size: int) -> GatheredInput | InOrder | None:
        """What a model is validated on: see ``validation_input``. None where there is no validation split."""
        split = self.data.validation
        if split is None:
            return None
        if gathers(model):
            return GatheredInput(split, batch_size, 0, self._converted, model.steps_per_execution, shuffled=False)
        return InOrder(
            self._kept(("validation", batch_size), lambda: validation_input(split, batch_size, self._converted))
        )

    def _kept(self, key: Hashable, build: Callable[[], Built]) -> Built:
        if keras.backend.backend() != "tensorflow" or in_scope():
            return build()
        pipeline: Built = self._pipelines.pop(key) if key in self._pipelines else build()
        self._pipelines[key] = pipeline  # the newest last
        while len(self._pipelines) > _MOST_PIPELINES:
            del self._pipelines[next(iter(self._pipelines))]
        return pipeline

    def _converted(self, array: Any) -> Any:
        """The array as a tensor; one that has to be copied for that is copied once."""
        if id(array) not in self._own:
            return as_tensor(array)
        if id(array) not in self._tensors:
            self._tensors[id(array)] = as_tensor(array)
        return self._tensors[id(array)]
