"""Compiled models that go from one trial of a worker to the next, so that an architecture is traced once."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from trainables.data import Data
from trainables.input.cache import Inputs
from trainables.input.gathered_steps import GatheringSteps, gathers
from trainables.internals.keras_model import has_own_finalization
from trainables.reuse.fingerprint import ModelFingerprint, OpaqueModelError, fingerprint

_MOST_MODELS = 4
_MOST_BYTES = 256 * 2**20

_WATCHED = (keras.layers.Layer, keras.optimizers.Optimizer, keras.metrics.Metric, keras.Variable)

# What Keras calls before the first trace; a callback of the user's that does so may change what is traced.
_BEFORE_TRACING = ("on_train_batch_begin", "on_batch_begin")


@dataclass(frozen=True)
class Traceable:
    """A built model that is about to be trained.

    Attributes:
        model: The model.
        fingerprint: What its traces depend on; None where that cannot be told: it is not kept.
        data: What they depend on beside the model: the form of the data.
        steps: What they belong to, where they gather their batches.
    """

    model: Any
    fingerprint: ModelFingerprint | None
    data: str
    steps: GatheringSteps | None = None

    def traces_like(self, other: Traceable) -> bool:
        """Whether the traces of one are those of the other."""
        if self.fingerprint is None or other.fingerprint is None:
            return False
        return self.data == other.data and self.fingerprint.features == other.fingerprint.features

    def begin_as(self, fresh: Traceable) -> None:
        """Gives every variable the value that it has in a fresh model: weights, optimizer, seeds, metrics."""
        if self.fingerprint is None or fresh.fingerprint is None:
            raise ValueError("Only models whose fingerprint is known begin as another one.")
        for variable, value in zip(self.fingerprint.variables, fresh.fingerprint.variables, strict=True):
            variable.assign(value)
        self.model.stop_training = False

    def is_unchanged(self) -> bool:
        """Whether the model is still what it was when it was traced, but for its variables."""
        return self.fingerprint is not None and _anatomy_of(self.model, self.fingerprint) is not None


def traceable(model: Any, data: str, callbacks: Sequence[Any]) -> Traceable:
    """A built model, and whether others may train in its place."""
    reusable = (
        keras.backend.backend() == "tensorflow"
        and not model.run_eagerly
        and model.train_function is None
        and model.test_function is None
        and not has_own_finalization(model.optimizer)
        and not {"make_train_function", "make_test_function"} & vars(model).keys()
        and all(_leaves_tracing_alone(callback) for callback in callbacks)
    )
    steps = GatheringSteps(model) if gathers(model) else None
    try:
        return Traceable(model, fingerprint(model) if reusable else None, data, steps)
    except OpaqueModelError:
        return Traceable(model, None, data, steps)


class KeptModels:
    """The models that a worker keeps after their trials, the newest last.

    A trial's model is built as ever. When one with the same fingerprint was kept, the fresh model's variables are
    copied into it and it is trained instead: nothing is traced again, and the results are the same to the last bit. At
    its end a model is kept only if its fingerprint is still the one that it was traced with.

    Args:
        most: How many are kept; the least recently trained go first.
    """

    def __init__(self, most: int = _MOST_MODELS) -> None:
        self._most = most
        self._kept: list[Traceable] = []

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Bytes of the variables of all that are kept: weights, the optimizer's, the metrics'."""
        return sum(kept.fingerprint.nbytes for kept in self._kept if kept.fingerprint is not None)

    def take(self, fresh: Traceable) -> Traceable | None:
        """The kept model that traces like a fresh one, with its values; None when there is none. It is lent."""
        for place, kept in enumerate(self._kept):
            if kept.traces_like(fresh):
                kept.begin_as(fresh)
                return self._kept.pop(place)
        return None

    def give_back(self, used: Traceable) -> None:
        """Keeps a model whose trial ended, unless something about it changed, or it is too large."""
        if not self._most or used.model.train_function is None or not used.is_unchanged():
            return
        self._kept.append(used)
        while len(self._kept) > self._most or self.nbytes > _MOST_BYTES:
            del self._kept[0]

    def turn_off(self) -> None:
        """Keeps nothing from now on."""
        self._most = 0
        self._kept.clear()


def held(fresh: Traceable) -> Callable[[], bool]:
    """Asks whether anything but the caller's own references holds a part of a model that is not trained.

    A global variable, or an attribute of the trainable, may lead a callback to the fresh model's optimizer while
    another model is trained: then models must not be exchanged at all.
    """
    parts = [] if fresh.fingerprint is None else [*fresh.fingerprint.objects, *fresh.fingerprint.variables]
    references = [weakref.ref(part) for part in parts if isinstance(part, _WATCHED)]

    def ask() -> bool:
        gc.collect()
        return any(reference() is not None for reference in references)

    return ask


def _anatomy_of(model: Any, expected: ModelFingerprint) -> ModelFingerprint | None:
    try:
        found = fingerprint(model)
    except OpaqueModelError:
        return None
    return found if found.features == expected.features else None


def _leaves_tracing_alone(callback: Any) -> bool:
    methods = (getattr(callback, name) for name in _BEFORE_TRACING)
    return all(getattr(method, "__globals__", {}).get("__name__", "").startswith("keras.") for method in methods)


class WorkerCache:
    """What a worker keeps from one trial for the next.

    Args:
        data: What all its trials are trained on.
        keeps_models: Whether compiled models are among it.
        executions: How many models a trial trains side by side.
    """

    def __init__(self, data: Data, *, keeps_models: bool = False, executions: int = 1) -> None:
        self.inputs = Inputs(data)
        self.models = KeptModels(max(_MOST_MODELS, executions) if keeps_models else 0)
