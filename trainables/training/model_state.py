"""The state under a model beside its own variables and its optimizer's: further optimizers, metrics, generators."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

_HOLDERS = (
    keras.layers.Layer,
    keras.optimizers.Optimizer,
    keras.metrics.Metric,
    keras.losses.Loss,
    keras.random.SeedGenerator,
)
_UNSAVED_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def further_variables(model: Any) -> dict[str, Any]:
    """Return the variables that are neither the model's own nor its optimizer's, by the path of attributes to them.

    A ``train_step`` of the user's own may have further optimizers; a metric may carry its state over epochs; a
    generator may be an attribute. Keras's own metrics begin every epoch anew, so they are left out.

    Args:
        model: A compiled ``keras.Model``.
    """
    known = {id(variable) for variable in (*model.variables, *model.optimizer.variables)}
    found: dict[str, Any] = {}
    for path, item in _walk(model):
        if _is_variable(item) and id(item) not in known:
            known.add(id(item))
            found[path] = item
    return found


def unsaved_generators(holders: Mapping[str, Any]) -> list[str]:
    """Return the attributes that are generators of NumPy or Python: their state is in no variable.

    Args:
        holders: Models and callbacks, by name.
    """
    return [
        f"{name}.{attribute.replace('/', '.')}"
        for name, holder in holders.items()
        for attribute, item in _walk(holder)
        if isinstance(item, _UNSAVED_GENERATORS)
    ]


def layers_of(model: Any) -> list[tuple[str, Any]]:
    """Return the model itself and each layer under it, an outer one before those in it, with the path to it."""
    return [(path, item) for path, item in _walk(model) if isinstance(item, keras.layers.Layer)]


def layers_that_train(model: Any) -> dict[str, bool]:
    """Return for each layer under a model, and for the model itself, whether it is trainable, by its path."""
    return {path: bool(layer.trainable) for path, layer in layers_of(model)}


def set_layers_that_train(model: Any, trainable: Mapping[str, bool]) -> None:
    """Make layers trainable, or not, as ``layers_that_train`` found them.

    Raises:
        KeyError: The model has a layer that was not there then.
    """
    for path, layer in layers_of(model):  # a layer passes its value on to those in it, which come later
        layer.trainable = trainable[path]


def _walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a model or a callback holds, each object once, with its path. A callback's model is not entered."""
    reset_metrics = {id(metric) for metric in getattr(root, "metrics", ())}
    met: set[int] = set()
    waiting: list[tuple[str, Any, bool]] = [("", root, False)]
    while waiting:
        path, item, is_reset = waiting.pop()
        if id(item) in met:
            continue
        met.add(id(item))
        if isinstance(item, keras.metrics.Metric):  # one of a user's own may keep what it has over epochs
            is_reset = _is_own_of_keras(item) and (is_reset or id(item) in reset_metrics)
        if is_reset and _is_variable(item):
            continue
        yield path, item
        parts = vars(item).items() if item is root or isinstance(item, _HOLDERS) else _items(item)
        prefix = f"{path}/" if path else ""
        children = [(f"{prefix}{name}", _variable_of(part), is_reset) for name, part in parts if _is_held(part, root)]
        waiting.extend(reversed(children))


def _items(item: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(item, dict):
        yield from item.items()
    elif isinstance(item, list | tuple):
        yield from enumerate(item)


def _is_held(part: Any, root: Any) -> bool:
    if isinstance(root, keras.callbacks.Callback) and isinstance(part, keras.Model):
        return False
    kinds = (*_HOLDERS, *_UNSAVED_GENERATORS, dict, list, tuple)
    return isinstance(part, kinds) or _is_variable(part) or _is_tensorflow_generator(part)


def _variable_of(part: Any) -> Any:
    return part.state if _is_tensorflow_generator(part) else part


def _is_variable(item: Any) -> bool:
    if isinstance(item, keras.Variable):
        return True
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(item, tf.Variable)


def _is_tensorflow_generator(item: Any) -> bool:
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(item, tf.random.Generator)


def _is_own_of_keras(item: Any) -> bool:
    return type(item).__module__.split(".")[0] == "keras"
