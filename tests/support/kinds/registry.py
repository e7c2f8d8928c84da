"""The register of the kinds of models, each with the kinds of data that it trains on and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from tests.support.kinds.data import CLASSES

CROSS_ENTROPY = "sparse_categorical_crossentropy"


@dataclass(frozen=True)
class ModelKind:
    """A kind of model.

    Attributes:
        build: Returns a compiled model for a learning rate.
        data: The kinds of data that it trains on.
        callbacks: Returns the callbacks that belong to it.
        needs_trainable: Whether ``load_best_model()`` refuses it without the trainable that builds it.
        not_exported: What the refusal says where the model cannot be written into a file; None: it can be.
        needs_names: Whether a reader of its file needs objects that plain Keras does not have.
        is_traced: Whether it trains in compiled steps only.
    """

    build: Callable[[float], Any]
    data: Sequence[str] = ("array",)
    callbacks: Callable[[], list[Any]] = list
    needs_trainable: bool = False
    not_exported: str | None = None
    needs_names: bool = False
    is_traced: bool = False


KINDS: dict[str, ModelKind] = {}


def kind(*data: str, **facts: Any) -> Callable[[Callable[[float], Any]], Callable[[float], Any]]:
    """Register a function that builds a kind of model."""

    def register(build: Callable[[float], Any]) -> Callable[[float], Any]:
        KINDS[build.__name__] = ModelKind(build, data or ("array",), **facts)
        return build

    return register


def compiled(model: Any, rate: float, loss: Any = CROSS_ENTROPY, metrics: Any = ("accuracy",), **options: Any) -> Any:
    """Return a model compiled with Adam."""
    model.compile(
        keras.optimizers.Adam(rate), loss, metrics=list(metrics) if isinstance(metrics, tuple) else metrics, **options
    )
    return model


def softmax(x: Any) -> Any:
    return layers.Dense(CLASSES, "softmax")(x)


def two_outputs(x: Any) -> list[Any]:
    return [layers.Dense(CLASSES, "softmax", name="kind")(x), layers.Dense(1, name="size")(x)]
