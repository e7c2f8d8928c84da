"""Measurements of a built model that need no training: its parameters, its size, and the time of a prediction."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

MEASURES = ("parameters", "model_bytes", "inference_ms")
"""The measurements of a model that a worker makes, where an objective or a constraint asks for them."""

_WARM_UPS = 2
_PREDICTIONS = 10


def measure(model: Any, names: Iterable[str], batch: Callable[[], Any]) -> dict[str, float]:
    """Return measurements of a model, by name.

    ``parameters`` counts all weights of the model, as the total of ``model.summary()`` does. ``model_bytes`` is the
    size of these weights in memory. ``inference_ms`` is the median of ten calls of ``model.predict_on_batch`` after two
    that are not counted, in milliseconds: in the worker, beside whatever else runs on the machine.

    Args:
        model: A Keras model that is built.
        names: The names of what to measure, of ``MEASURES``.
        batch: Returns the inputs of one batch.
    """
    ways: dict[str, Callable[[], float]] = {
        "parameters": lambda: float(sum(math.prod(weight.shape) for weight in model.weights)),
        "model_bytes": lambda: float(sum(math.prod(each.shape) * _item_bytes(each.dtype) for each in model.weights)),
        "inference_ms": lambda: _inference_ms(model, batch()),
    }
    return {name: ways[name]() for name in names}


def _inference_ms(model: Any, batch: Any) -> float:
    for _ in range(_WARM_UPS):
        model.predict_on_batch(batch)
    times_ms = []
    for _ in range(_PREDICTIONS):
        begun_s = time.perf_counter()
        model.predict_on_batch(batch)
        times_ms.append(1000 * (time.perf_counter() - begun_s))
    return statistics.median(times_ms)


def _item_bytes(dtype: str) -> float:
    name = str(dtype)
    if name == "bool":
        return 1.0
    return int("".join(filter(str.isdigit, name.partition("_")[0])) or 8) / 8
