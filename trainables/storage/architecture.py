"""The description of a model by Keras, from which the model can be built without the code of its trainable."""

from __future__ import annotations

import inspect
from typing import Any


def architecture(model: Any) -> str | None:
    """Return what ``keras.models.model_from_json`` needs, or None if Keras cannot describe the model, or not truly."""
    try:
        text: str = model.to_json()
    except (NotImplementedError, TypeError, ValueError):
        return None  # a subclassed model without get_config(): its trainable has to build it again
    return None if is_described_by_defaults(model) else text


def is_described_by_defaults(model: Any) -> bool:
    """Return whether Keras describes a model by the defaults of its arguments, and not by the values that they had.

    It does so with a subclass of ``keras.Model`` that has arguments and no ``get_config`` (keras 3.15): a model that
    was made with 5 units is described as one of 6.

    Args:
        model: The Keras model.
    """
    kind = type(model)
    owner = next((parent for parent in kind.__mro__ if "get_config" in vars(parent)), kind)
    is_graph = any(parent.__name__ == "Functional" for parent in kind.__mro__)  # a Sequential has a get_config
    if is_graph or not _is_of_keras(owner) or owner.__name__ == "Sequential" or _is_of_keras(kind):
        return False
    kinds = inspect.Parameter
    _, *parameters = inspect.signature(kind.__init__).parameters.values()
    return any(parameter.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD) for parameter in parameters)


def _is_of_keras(kind: type) -> bool:
    return kind.__module__.split(".")[0] == "keras"
