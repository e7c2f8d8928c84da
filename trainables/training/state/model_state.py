"""The state under a model beside its own variables and its optimizer's: further optimizers, metrics, generators."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainables.training.state.walk import is_of_the_user, is_variable, walk

_UNSAVED_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def further_variables(model: Any, callbacks: Sequence[Any] = ()) -> dict[str, Any]:
    """Return the variables that are neither the model's own nor its optimizer's, by the path of attributes to them.

    A ``train_step`` of the user's own may have further optimizers; a metric may carry its state over epochs; a
    generator may be an attribute; a callback may have a variable, or a second model. Keras's own metrics begin every
    epoch anew, so they are left out.

    Args:
        model: A compiled ``keras.Model``.
        callbacks: The callbacks of its training.
    """
    known = {id(variable) for variable in (*model.variables, *model.optimizer.variables)}
    found: dict[str, Any] = {}
    met: set[int] = set()
    roots = {"": model, **{f"callbacks/{index}/": each for index, each in enumerate(callbacks)}}
    for prefix, root in roots.items():
        if root is not model and not (is_of_the_user(type(root)) or type(root) is keras.callbacks.LambdaCallback):
            continue
        for path, item in walk(root, met):
            if is_variable(item) and id(item) not in known:
                known.add(id(item))
                found[f"{prefix}{path}"] = item
    return found


def unsaved_generators(holders: Mapping[str, Any]) -> list[str]:
    """Return the attributes that are generators of NumPy or Python: their state is in no variable.

    Args:
        holders: Models and callbacks, by name.
    """
    met: set[int] = set()
    return [
        f"{name}.{attribute.replace('/', '.')}"
        for name, holder in holders.items()
        for attribute, item in walk(holder, met)
        if isinstance(item, _UNSAVED_GENERATORS)
    ]


def layers_of(model: Any) -> list[tuple[str, Any]]:
    """Return the model itself and each layer under it, an outer one before those in it, with the path to it."""
    return [(path, item) for path, item in walk(model) if isinstance(item, keras.layers.Layer)]


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
