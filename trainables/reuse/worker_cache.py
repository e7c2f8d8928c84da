"""The cache of a worker, from one trial to the next: its data as tensors, pipelines, and compiled models.

docs/reuse.md explains how a model goes from trial to trial.
"""

from __future__ import annotations

import gc
import hashlib
import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol

import keras

from trainables.data import Data
from trainables.input.compiled_jax import OPTIMISED, Compilation
from trainables.input.gathered_steps import GatheringSteps, can_gather
from trainables.input.sources.unknown_ends import end_without_a_step
from trainables.internals.keras_model import has_own_finalization
from trainables.reuse.fingerprint import ModelFingerprint, OpaqueModelError, fingerprint
from trainables.reuse.input_cache import InputCache

_MOST_MODELS = 4
_MOST_MODEL_BYTES = 256 * 2**20

_WATCHED = (keras.layers.Layer, keras.optimizers.Optimizer, keras.metrics.Metric, keras.Variable)

# Keras calls these between the check for changes and the first trace: a user's own may change what is traced.
_HOOKS_BEFORE_TRACING = ("on_train_batch_begin", "on_batch_begin")
_MAKERS = ("make_train_function", "make_test_function")


class WorkerCache:
    """Everything that a worker keeps from one trial for the next.

    Args:
        data: The data that all its trials are trained on.
        keeps_models: Whether compiled models are kept.
        executions: The number of models that a trial trains side by side.

    Attributes:
        inputs: The worker's data as tensors and pipelines.
        models: The compiled models of earlier trials.
        made: What trials have made of the data, for later ones: see ``TrainingView.once``.
    """

    def __init__(self, data: Data, *, keeps_models: bool = False, executions: int = 1) -> None:
        self.inputs = InputCache(data)
        self.models = KeptModels(max(_MOST_MODELS, executions) if keeps_models else 0)
        self.made: dict[Hashable, Any] = {}


class Adjustable(Protocol):
    """The rates of a model that are adjusted while it trains."""

    @property
    def variables(self) -> list[Any]:
        """The variables of the rates that belong to neither the model nor its optimizer."""

    def callback(self, held_out: Any) -> Any:
        """Return the callback of a trial that adjusts the rates by held-out examples."""

    def begin_as(self, fresh: Any) -> None:
        """Begin with the rates of an equal model that was just built."""


class TrialModel:
    """The built model of a trial, with everything that decides whether its traces can be used again.

    Args:
        model: A compiled ``keras.Model`` with all of its variables.
        input_spec: Types and shapes of the data, on which traces depend too.
        callbacks: The trial's callbacks, which may change the model before it is traced.
        has_unknown_end: Whether nobody knows the number of batches of an epoch before it is over.
        adjustable: The rates of the model that are adjusted while it trains; None: they stay as they are.
        compilation: How hard JAX compiles its steps.

    Attributes:
        model: The model.
        adjustable: Its rates that are adjusted.
        fingerprint: Everything else that its traces depend on; None where that is not known: such a model is not kept.
        input_spec: Types and shapes of the data.
        steps: Its compiled steps, where they gather their batches; None where Keras's own read them from a pipeline.
    """

    def __init__(
        self,
        model: Any,
        input_spec: str,
        callbacks: Sequence[Any] = (),
        *,
        has_unknown_end: bool = False,
        adjustable: Adjustable | None = None,
        compilation: Compilation = OPTIMISED,
    ) -> None:
        self.model = model
        self.adjustable = adjustable
        self.input_spec = input_spec if compilation == OPTIMISED else f"{input_spec} {'-'.join(compilation)}"
        self.fingerprint = _fingerprint_or_none(model) if _may_be_reused(model, callbacks) else None
        self._traces: str | None = None
        self.steps = GatheringSteps(model, self.traces, compilation=compilation) if can_gather(model) else None
        if has_unknown_end and model.train_function is None:
            end_without_a_step(model)

    def traces(self) -> str | None:
        """Return a text that is equal for models with the same traces; None where nobody knows the traces."""
        if self.fingerprint is None:
            return None
        if self._traces is None:
            content = repr((self.input_spec, self.fingerprint.features))
            self._traces = hashlib.sha256(content.encode()).hexdigest()
        return self._traces

    def is_traced_like(self, other: TrialModel) -> bool:
        """Return whether both models have the same traces, whatever the values of their variables."""
        if self.fingerprint is None or other.fingerprint is None:
            return False
        return self.input_spec == other.input_spec and self.fingerprint.features == other.fingerprint.features

    def copy_values(self, fresh: TrialModel) -> None:
        """Give every variable the value that it has in a fresh model: weights, optimizer, seeds, metrics.

        Raises:
            ValueError: One of the models has no fingerprint.
        """
        if self.fingerprint is None or fresh.fingerprint is None:
            raise ValueError("Only models whose fingerprint is known can begin as another one.")
        for variable, value in zip(self.fingerprint.variables, fresh.fingerprint.variables, strict=True):
            variable.assign(value)
        if self.adjustable is not None:
            self.adjustable.begin_as(fresh.adjustable)
        self.model.stop_training = False

    def is_unchanged(self) -> bool:
        """Return whether the model has a fingerprint, and it is still the one that it had when it was built."""
        now = None if self.fingerprint is None else _fingerprint_or_none(self.model)
        return self.fingerprint is not None and now is not None and now.features == self.fingerprint.features

    def forget_fingerprint(self) -> None:
        """Do not keep the model: a callback compiled it again, so that its optimizer is another one."""
        self.fingerprint = None

    def retrace_if_changed(self) -> None:
        """Drop the compiled steps of a model that a callback changed since it was built, and do not keep the model.

        Call this before the first step of a trial, when its callbacks have heard that the epoch begins. A kept model
        was traced as it was built: without this call, its steps would not have the change.
        """
        if self.fingerprint is not None and not self.is_unchanged():
            self.fingerprint = None
            self.model.make_train_function(force=True)
            self.model.make_test_function(force=True)


class KeptModels:
    """The models that a worker keeps after their trials, the newest last.

    A trial's model is always built. When a model with the same fingerprint was kept, the fresh model's variables are
    copied into the kept one, and that is trained instead. Nothing is traced again, and the results are the same to the
    last bit. When a trial ends, its model is kept only if its fingerprint is still the one that it was traced with.

    Args:
        most: The number of models to keep. The least recently trained ones are dropped first.
    """

    def __init__(self, most: int = _MOST_MODELS) -> None:
        self._most = most
        self._models: list[TrialModel] = []

    def __len__(self) -> int:
        return len(self._models)

    @property
    def nbytes(self) -> int:
        """Bytes of the variables of all that are kept: weights, the optimizer's, the metrics'."""
        return sum(kept.fingerprint.nbytes for kept in self._models if kept.fingerprint is not None)

    def take(self, fresh: TrialModel) -> TrialModel | None:
        """Lend out the kept model that is traced like a fresh one, with the fresh one's values.

        Returns:
            The kept model, until it is given back; None where no kept model is traced like the fresh one.
        """
        for index, kept in enumerate(self._models):
            if kept.is_traced_like(fresh):
                kept.copy_values(fresh)
                return self._models.pop(index)
        return None

    def give_back(self, used: TrialModel) -> None:
        """Keep a model whose trial ended, unless something about it changed, or it is too large."""
        if not self._most or used.model.train_function is None or not used.is_unchanged():
            return
        self._models.append(used)
        while len(self._models) > self._most or self.nbytes > _MOST_MODEL_BYTES:
            del self._models[0]

    def disable(self) -> None:
        """Keep nothing from now on."""
        self._most = 0
        self._models.clear()


def existence_probe(fresh: TrialModel) -> Callable[[], bool]:
    """Return a function that tells whether any part of a model still exists once the caller has dropped the model.

    A global variable, or an attribute of the trainable, may lead a callback to the optimizer of a fresh model while
    another model is trained in its place: what the callback does to it would be lost. Then models must not be exchanged
    at all. Python's garbage collector knows whether there is such a way: the function collects garbage, and looks
    whether a layer, optimizer, metric or variable is left.

    Args:
        fresh: A model that is not going to be trained. The caller must hold no reference to it, or to a part of it,
            when it calls the function.
    """
    parts = [] if fresh.fingerprint is None else [*fresh.fingerprint.objects, *fresh.fingerprint.variables]
    references = [weakref.ref(part) for part in parts if isinstance(part, _WATCHED)]

    def exists() -> bool:
        gc.collect()
        return any(reference() is not None for reference in references)

    return exists


def _may_be_reused(model: Any, callbacks: Sequence[Any]) -> bool:
    return (
        keras.backend.backend() in ("tensorflow", "jax")
        and not model.run_eagerly
        and model.train_function is None
        and model.test_function is None
        and not any(name in vars(model) for name in _MAKERS)
        and not has_own_finalization(model.optimizer)
        and all(_leaves_tracing_alone(callback) for callback in callbacks)
    )


def _leaves_tracing_alone(callback: Any) -> bool:
    methods = (getattr(callback, name, None) for name in _HOOKS_BEFORE_TRACING)
    return all(getattr(method, "__globals__", {}).get("__name__", "").startswith("keras.") for method in methods)


def _fingerprint_or_none(model: Any) -> ModelFingerprint | None:
    try:
        found = fingerprint(model)
    except OpaqueModelError:
        return None
    return found if _are_arguments(found.variables, model) else None


def _are_arguments(variables: Sequence[Any], model: Any) -> bool:
    """Return whether a compiled step reads all variables whenever it is called.

    A step of JAX is given the variables that Keras lists. Any other would be a constant of the compiled program.
    """
    if keras.backend.backend() != "jax":
        return True
    listed = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return {*map(id, variables)} <= {*map(id, listed)}
