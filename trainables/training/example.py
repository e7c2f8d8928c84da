"""The example in a checkpoint: what a batch looks like, so that a model can be built without the data.

A model without an Input has no weights before it has been called, and some get weights only from a step. Whoever loads
such a model from a run may have the run's folder and the code, and not the data.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from trainables.input.examples import repeated
from trainables.storage.checkpoint import Snapshot
from trainables.training.model import examples, first_examples
from trainables.training.state.model_state import further_variables

STATE_KEY = "example"
_TEXT = "text"
_MOST_NUMBERS = 10**9  # an example of a damaged checkpoint would take all memory


def describe(example: Any) -> Any:
    """Return the types and shapes of an example as JSON; None where a part of it is no array.

    Args:
        example: (x, y) or (x, y, sample_weight), each with an axis of examples.
    """
    try:
        return _describe(example)
    except (AttributeError, TypeError, ValueError):
        return None


def example_of(snapshot: Snapshot) -> Any:
    """Return an example of zeros like those that the model of a snapshot was trained on; None where it does not say."""
    state = snapshot.state
    described = (state.get("executions") or [state])[0].get(STATE_KEY)
    return None if described is None else _zeros(described)


def one_batch(example: Any, size: int) -> Any:
    """Return inputs for one batch: those of an example, repeated.

    Args:
        example: (x, y, …), with an axis of examples.
        size: The number of examples of the batch.
    """
    return examples(keras.tree.map_structure(lambda array: repeated(array, size), example[0]))


def random_inputs(x: Any, seed: int = 0) -> Any:
    """Return inputs like an example's with random numbers, so that models that differ answer differently.

    Whole numbers and text stay as they are: a layer may know some of them only.

    Args:
        x: The inputs of an example, with their axis of examples.
        seed: The seed of the numbers.
    """
    generator = np.random.default_rng(seed)

    def random(array: Any) -> Any:
        if getattr(array.dtype, "kind", "") == "f":
            return generator.normal(size=(4, *array.shape[1:])).astype(array.dtype)
        return repeated(array, 4)

    return examples(keras.tree.map_structure(random, x))


def create_missing_weights(model: Any, example: Any, expected: int) -> None:
    """Give a model the weights that it gets from its first call, or from its first step. Their values do not matter.

    Args:
        model: A ``keras.Model``; if it has to be trained for a step, a compiled one.
        example: (x, y) or (x, y, sample_weight).
        expected: The number of weights that it is going to have.
    """
    x, *_ = example
    if not model.built or not model.weights:
        model(first_examples(x))
    if len(model.weights) < expected and model.compiled:
        step_without_effect(model, example)


def step_without_effect(model: Any, example: Any) -> None:
    """Train a model for one step, and leave only the variables that came into being in it.

    Args:
        model: A compiled ``keras.Model``.
        example: (x, y) or (x, y, sample_weight).
    """
    before = [*model.variables, *model.optimizer.variables, *further_variables(model).values()]
    values = [np.array(variable) for variable in before]
    model.train_step(keras.tree.map_structure(keras.ops.convert_to_tensor, first_examples(example)))
    for variable, value in zip(before, values, strict=True):
        variable.assign(value)


def _describe(part: Any) -> Any:
    if isinstance(part, dict):
        return {"named": {str(name): _describe(value) for name, value in part.items()}}
    if isinstance(part, list | tuple):
        return [_describe(value) for value in part]
    shape = [int(size) for size in part.shape[1:]]
    is_text = getattr(part.dtype, "kind", "") in ("U", "S") or getattr(part.dtype, "name", "") == "string"
    return {"dtype": _TEXT if is_text else keras.backend.standardize_dtype(part.dtype), "shape": shape}


def _zeros(described: Any) -> Any:
    if isinstance(described, list):
        return tuple(map(_zeros, described))
    if "named" in described:
        return {name: _zeros(value) for name, value in described["named"].items()}
    shape, dtype = (1, *described["shape"]), described["dtype"]
    if math.prod(shape) > _MOST_NUMBERS:
        raise ValueError(f"it has more than {_MOST_NUMBERS:,} numbers")
    return np.full(shape, "") if dtype == _TEXT else keras.ops.convert_to_numpy(keras.ops.zeros(shape, dtype))
