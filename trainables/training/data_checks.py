"""Checks of the data against the model that is going to be trained on it, before the first epoch."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from trainables.data import Data
from trainables.data.kinds import is_source
from trainables.data.nested import leaves
from trainables.settings import InvalidTrainable

_OUTSIDE = re.compile(r"label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)")


def check_inputs(model: Any, x: Any) -> None:
    """Check that a model can take the inputs of the data. Only what Keras surely refuses is an error.

    Args:
        model: A compiled ``keras.Model``. One without declared inputs takes anything.
        x: The inputs of an example, with its axis of examples.

    Raises:
        InvalidTrainable: The model has other inputs, or an input has another shape.
    """
    wanted = _declared_inputs(model)
    if not wanted:
        return
    if isinstance(x, Mapping):
        names = list(model.input) if isinstance(model.input, Mapping) else list(wanted)
        if len(names) > 1 and (missing := [name for name in names if name not in x]):
            raise InvalidTrainable(
                f"The model has the inputs {', '.join(map(str, names))}, but Data.train has {', '.join(map(str, x))}: "
                f"{', '.join(map(str, missing))} is missing. Give each input the name of its column, "
                "keras.Input(…, name=…)."
            )
        return
    given = list(leaves(x))
    if len(given) != len(wanted):
        raise InvalidTrainable(
            f"The model has {_inputs(len(wanted))}, but x of Data.train has {_inputs(len(given))}: a model with "
            "several inputs needs a tuple, list or dict of as many."
        )
    for part, (name, shape) in zip(given, wanted.items(), strict=True):
        size = getattr(part, "shape", None)
        if size is not None and not _fits(tuple(size), shape):
            raise InvalidTrainable(
                f"The input {name} of the model takes examples of shape {_without_examples(shape)}, but those of "
                f"Data.train have {_without_examples(tuple(size))}."
            )


def check_labels(model: Any, data: Data, checked: MutableMapping[Hashable, Any]) -> None:
    """Check that labels in arrays are classes that the loss knows. Labels of a source are checked when they are read.

    Args:
        model: A compiled ``keras.Model``.
        data: The data of the trial.
        checked: The smallest and the largest label of arrays that a worker has looked at, which this completes.

    Raises:
        InvalidTrainable: A label lies outside of the classes.
    """
    loss = _loss_name(model.loss)
    if loss not in ("sparse_categorical_crossentropy", "binary_crossentropy"):
        return
    classes = getattr(model, "output_shape", None)
    classes = classes[-1] if isinstance(classes, tuple) and isinstance(classes[-1], int) else None
    highest = 1 if loss == "binary_crossentropy" else None if classes is None else classes - 1
    if highest is None or getattr(model.loss, "ignore_class", None) is not None:
        return
    for name, split in (("train", data.train), ("validation", data.validation)):
        if split is None or is_source(split):
            continue
        labels, *others = leaves(split[1])
        if others or labels.dtype.kind not in "biuf":
            continue
        if ("labels", id(labels)) not in checked:
            checked["labels", id(labels)] = labels, np.min(labels), np.max(labels)
        _, smallest, largest = checked["labels", id(labels)]
        if smallest < 0 or largest > highest:
            wrong = smallest if smallest < 0 else largest
            raise InvalidTrainable(_outside(f"Data.{name}", f"{wrong:g}", loss, highest))


@contextmanager
def mistakes_in_labels() -> Iterator[None]:
    """Turn TensorFlow's error about a label outside of the classes, which a source yielded, into a mistake.

    Raises:
        InvalidTrainable: A label lies outside of the classes.
    """
    try:
        yield
    except Exception as error:
        found = _OUTSIDE.search(str(error))
        if found is None:
            raise
        label, classes = found.groups()
        text = _outside("The data", label, "sparse_categorical_crossentropy", int(classes) - 1)
        raise InvalidTrainable(text) from error


def _outside(owner: str, label: str, loss: str, highest: int) -> str:
    remedy = (
        "give the model an output for each class, or number the classes from 0."
        if loss == "sparse_categorical_crossentropy"
        else "encode the two classes as 0 and 1, or choose another loss."
    )
    return f"{owner} has the label {label}, but the loss {loss} takes labels from 0 to {highest}: {remedy}"


def _loss_name(loss: Any) -> str:
    if isinstance(loss, str) and loss.lower() in ("bce", "binary_crossentropy"):
        return "binary_crossentropy"
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    return str(name)


def _declared_inputs(model: Any) -> dict[str, tuple[int | None, ...]]:
    """Return the shapes of the inputs that a model of layers declares, by their names, in their order."""
    if not isinstance(model, keras.Sequential | keras.Model) or not getattr(model, "built", False):
        return {}
    try:
        return {str(tensor.name): tuple(tensor.shape) for tensor in model.inputs or ()}
    except (AttributeError, ValueError):
        return {}  # a subclass of keras.Model


def _fits(shape: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    if len(shape) == len(wanted) - 1 and wanted[-1] == 1:
        return True  # Keras adds the axis
    if len(shape) == len(wanted) + 1 and shape[-1] == 1:
        return True  # Keras removes it
    sizes = zip(shape[1:], wanted[1:], strict=False)
    return len(shape) == len(wanted) and all(size == other or None in (size, other) for size, other in sizes)


def _without_examples(shape: tuple[Any, ...]) -> str:
    return str(shape[1:])


def _inputs(count: int) -> str:
    return f"{count} {'input' if count == 1 else 'inputs'}"
