"""The complete model of a trial: every variable that the first epoch needs is made before a step is traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import keras
import numpy as np

from trainables.data import Data, InvalidData
from trainables.data.kinds import Kind, kind_of
from trainables.data.nested import Arrays, leaves
from trainables.devices.replicas import is_distributed
from trainables.fit_options import FitOptions
from trainables.input.compiled_jax import OPTIMISED, Compilation, choose_efforts, expected_epochs, how_compiled
from trainables.input.gathered_steps import GatheredInput
from trainables.internals.keras_model import unbuilt_parts
from trainables.settings import InvalidTrainable, TrialSettings
from trainables.training.view import TrainingView, call_build_model

_STEPS_PER_EXECUTION = 64
_TRACED_METHODS = ("train_step", "test_step", "compute_loss", "compute_metrics")


class BuildsModels(Protocol):
    """The part of a trainable that a training needs.

    Attributes:
        batch_size: Examples per batch when the configuration has no ``batch_size``.
    """

    batch_size: int

    def prepare(self, data: Data, config: dict[str, Any]) -> Data:
        """Return the data as one configuration needs it."""

    @property
    def build_model(self) -> Callable[..., Any]:
        """The method that returns the compiled model of a configuration, and takes the data too if it asks for them."""

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return how an epoch of a configuration is fitted."""


def prepared(trainable: BuildsModels, data: Data, config: Mapping[str, Any]) -> Data:
    """Call ``prepare``, and check what it returns.

    Args:
        trainable: Prepares the data.
        data: The data of all trials.
        config: The configuration of the trial.

    Raises:
        InvalidTrainable: ``prepare`` returned something else than ``Data``, or data that cannot be trained on; or a
            ``ray.data.Dataset``, for whose tasks no CPU is kept.
    """
    try:
        result = trainable.prepare(data, dict(config))
    except InvalidData as error:
        raise InvalidTrainable(f"{type(trainable).__name__}.prepare: {error}") from error
    if not isinstance(result, Data):
        raise InvalidTrainable(
            f"{type(trainable).__name__}.prepare returned a {type(result).__name__}, but must return a Data: "
            "dataclasses.replace(data, train=…) changes one split."
        )
    if _reads_ray_data(result) and not _reads_ray_data(data) and not getattr(trainable, "data_cpus", 1):
        name = type(trainable).__name__
        raise InvalidTrainable(
            f"{name}.prepare returned a ray.data.Dataset, whose tasks need CPUs, and load_data returned none: set "
            f"data_cpus = 1 in {name}, so that the trials leave one to them."
        )
    return result


def _reads_ray_data(data: Data) -> bool:
    return any(kind_of(split) is Kind.RAY for split in data.splits.values())


def build_compiled_model(trainable: BuildsModels, config: Mapping[str, Any], view: TrainingView) -> Any:
    """Call ``build_model``, and check what it returns.

    Args:
        trainable: Builds the model.
        config: The configuration of the trial.
        view: The data, for a ``build_model`` that asks for them.

    Returns:
        A compiled ``keras.Model``.

    Raises:
        InvalidTrainable: ``build_model`` returned something else.
    """
    name = type(trainable).__name__
    model = call_build_model(trainable.build_model, config, lambda: view)
    if not isinstance(model, keras.Model):
        if any(kind.__module__.partition(".")[0] == "tf_keras" for kind in type(model).__mro__):
            raise InvalidTrainable(
                f"{name}.build_model returned a model of tf_keras (Keras 2), but must return one of Keras 3: make it "
                "with `import keras`, and unset TF_USE_LEGACY_KERAS, by which tf.keras is tf_keras."
            )
        raise InvalidTrainable(
            f"{name}.build_model returned a {type(model).__name__}, but must return a compiled keras.Model: "
            "is its `return model` missing?"
        )
    if not model.compiled or model.optimizer is None:
        raise InvalidTrainable(
            f"The model that {name}.build_model returned is not compiled, but it must be: "
            "call model.compile(optimizer=…, loss=…, metrics=[…]) before returning it."
        )
    return model


def set_steps_per_execution(model: Any, requested: int | None, default: int | None = None) -> None:
    """Let a compiled model run several steps per call into the backend: 1.23 -> 0.84 s an epoch, batch 128, one core.

    The number is part of the trace where Keras's own steps read batches from a pipeline, and it always tells models
    apart. If none is requested it is therefore the same for every number of batches, which it may exceed.

    Args:
        model: A compiled ``keras.Model``.
        requested: Steps per call; None: the default, unless the model was compiled with more than 1.
        default: Steps per call where nobody asks for a number; None: 64.
    """
    if requested is not None:
        model.steps_per_execution = requested
    elif model.steps_per_execution == 1 and keras.backend.backend() != "torch" and not is_distributed():
        model.steps_per_execution = default or _STEPS_PER_EXECUTION


def choose_compilation(model: Any, training_input: Any, settings: TrialSettings) -> tuple[Compilation, list[str]]:
    """Choose how JAX compiles the steps of a model.

    Args:
        model: A compiled ``keras.Model`` with all of its variables.
        training_input: What it is trained on.
        settings: The settings of the run, which tell how many epochs a trial is expected to train.

    Returns:
        The efforts, and a sentence about them; none where Keras's own loop trains, which Keras compiles, or another
        backend.
    """
    if keras.backend.backend() != "jax" or not isinstance(training_input, GatheredInput):
        return OPTIMISED, []
    epochs = expected_epochs(settings.max_epochs, settings.milestones)
    compilation = choose_efforts(model, training_input.examples, training_input.steps, epochs)
    return compilation, [how_compiled(compilation.whole)]


def create_variables(model: Any, example: Any) -> None:
    """Create the variables of a compiled model: its own, the optimizer's, and the metrics'.

    A model without an Input layer has none before it has seen data, so that no checkpoint would fit. If metrics are
    made while a step is traced, TensorFlow traces the step a second time (0.2 to 0.4 s for a small model). On JAX,
    Keras would read a batch for them.

    Args:
        model: A compiled ``keras.Model``.
        example: An example (x, y, …) of what the model is going to be trained on, with its axis of examples. There may
            be no y.
    """
    x, *others = example
    if not model.built:
        model(first_examples(x))
    model.optimizer.build(model.trainable_variables)
    if keras.backend.backend() in ("tensorflow", "jax") and not is_distributed():
        _create_metrics(model, *others[:1])


def _is_text(labels: Any) -> bool:
    return getattr(labels.dtype, "kind", "") in ("U", "S") or getattr(labels.dtype, "name", "") == "string"


def first_examples(arrays: Arrays) -> Any:
    """Return the first example of each array, as a model takes them."""
    return examples(keras.tree.map_structure(lambda array: array[:1], arrays))


def examples(arrays: Arrays) -> Any:
    """Return arrays as a model takes them: lists as tuples, as in ``fit``, and with strings among them as tensors."""
    arrays = keras.tree.lists_to_tuples(arrays)
    has_text = any(getattr(array.dtype, "kind", "") in ("U", "S") for array in keras.tree.flatten(arrays))
    if not has_text or keras.backend.backend() != "tensorflow":
        return arrays
    import tensorflow as tf

    return keras.tree.map_structure(tf.constant, arrays)  # Keras takes strings as tensors only, and mixes nothing


def _create_metrics(model: Any, y: Arrays = None) -> None:
    parts = unbuilt_parts(model)
    if not parts:
        return
    if y is None or not all(isinstance(labels, np.ndarray) or hasattr(labels, "numpy") for labels in leaves(y)):
        return  # without labels, or with ragged ones, Keras makes them in the first step
    outputs = _symbolic_outputs(model)
    has_own_methods = any(getattr(type(model), name) is not getattr(keras.Model, name) for name in _TRACED_METHODS)
    if outputs is None or has_own_methods:
        return
    if any(_is_text(labels) for labels in leaves(y)):
        return  # Keras has no symbolic strings for what a loss of the user's own takes
    labels = _arranged_like(outputs, keras.tree.map_structure(_symbolic, y), getattr(model, "output_names", None))
    if labels is None:
        return  # Keras finds out in the first step how they belong together
    for part in parts:
        part.build(labels, outputs)


def _symbolic(array: np.ndarray) -> Any:
    return keras.KerasTensor((None, *array.shape[1:]), keras.backend.standardize_dtype(array.dtype))


def _arranged_like(outputs: Any, labels: Any, names: Sequence[str] | None) -> Any:
    """Return labels in the structure of the outputs, as Keras arranges them for losses; None where it is not plain."""
    if isinstance(outputs, list | tuple):
        if isinstance(labels, dict):
            labels = [labels[name] for name in names] if names and {*names} == {*labels} else labels
        elif len(outputs) == 1 and not keras.tree.is_nested(labels):
            labels = [labels]
    elif not keras.tree.is_nested(outputs) and keras.tree.is_nested(labels):
        flat = keras.tree.flatten(labels)
        labels = flat[0] if len(flat) == 1 else labels
    try:
        keras.tree.assert_same_structure(keras.tree.lists_to_tuples(outputs), keras.tree.lists_to_tuples(labels))
    except (TypeError, ValueError):
        return None
    return keras.tree.pack_sequence_as(outputs, keras.tree.flatten(labels))


def _symbolic_outputs(model: Any) -> Any:
    """Return the outputs, in the structure in which a call returns them; None for a model without a graph of layers."""
    inputs_property = getattr(type(model), "inputs", None)
    if not getattr(getattr(inputs_property, "fget", None), "__module__", "").startswith("keras."):
        return None  # a subclass of keras.Model: only a call shows its outputs
    inputs = getattr(model, "inputs", None)
    return None if inputs is None else model.compute_output_spec(inputs)
