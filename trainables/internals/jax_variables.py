"""The first values of a model's variables on JAX, drawn without a program for each shape.

Private names:

- ``keras.src.backend.jax.random``: ``uniform``, ``normal``, ``truncated_normal`` and ``jax_draw_seed``. JAX compiles a
  program for each shape that they draw: 0.3 CPU s a shape, 1.4 s for a network of four layers, as much as half of a
  training step. Here they draw as many numbers as the next power of two, by a program that all smaller shapes share,
  and the first ones are taken: the numbers are the same to the bit, as JAX draws each one from the key and its index.
- ``keras.src.backend.jax.numpy``: ``zeros`` and ``ones``, which NumPy fills here.
  Within a trace Keras's own functions are used.

Without them every shape is compiled, once in a worker. The functions of Keras are replaced once in a process, and do
as before everywhere but within ``shared_programs`` of their thread.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial, wraps
from importlib import import_module
from typing import Any

import keras
import numpy as np

_RANDOM = "keras.src.backend.jax.random"
_NUMPY = "keras.src.backend.jax.numpy"
_DRAWS = ("uniform", "normal", "truncated_normal")
_FILLS = {"zeros": 0, "ones": 1}
_STANDARD = {"stddev": 1.0, "mean": 0.0}
_LEAST, _MOST = 2**14, 2**24  # drawing 16384 numbers takes half a millisecond; beyond 64 MB each shape is compiled

_here = threading.local()


@contextmanager
def shared_programs() -> Iterator[None]:
    """Within the context, let this thread draw and fill arrays by programs that shapes share."""
    if keras.backend.backend() != "jax" or not _replace():
        yield
        return
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1


@cache
def _replace() -> bool:
    """Replace the functions of Keras once; return whether all of them are there."""
    modules = [_module_with(_RANDOM, *_DRAWS, "jax_draw_seed"), _module_with(_NUMPY, *_FILLS)]
    config = _jax().config
    if None in modules or not config.jax_threefry_partitionable or config.jax_default_prng_impl != "threefry2x32":
        return False  # a number depends on how many are drawn
    random, numpy = modules
    for name in _DRAWS:
        setattr(random, name, _drawing(random, getattr(random, name)))
    for name, value in _FILLS.items():
        setattr(numpy, name, _filling(getattr(numpy, name), value))
    return True


def _drawing(random: Any, draw: Callable[..., Any]) -> Callable[..., Any]:
    @cache
    def program(size: int) -> Callable[..., Any]:
        return _jax().jit(partial(draw, (size,), dtype="float32"))  # type: ignore[no-any-return]

    @wraps(draw)
    def drawn(shape: Any, *numbers: Any, dtype: Any = None, seed: Any = None, **named: Any) -> Any:
        is_known = not numbers and {*named} <= {"minval", "maxval", *_STANDARD} and _are_plain(named)
        if not _is_active() or not is_known or keras.backend.standardize_dtype(dtype) != "float32":
            return draw(shape, *numbers, dtype=dtype, seed=seed, **named)
        shape, seed = tuple(map(int, shape)), random.jax_draw_seed(seed)
        count = math.prod(shape)
        if not 0 < count <= _MOST or isinstance(seed, _jax().core.Tracer):
            return draw(shape, dtype=dtype, seed=seed, **named)
        # The compiler would join these two steps with those before them, and round once: Keras computes them apart.
        scale, shift = (np.float32(named.pop(name, neutral)) for name, neutral in _STANDARD.items())
        values = program(max(_LEAST, 1 << (count - 1).bit_length()))(seed=seed, **named)
        first = np.asarray(values)[:count].reshape(shape)
        return _jax().device_put(first * scale + shift)  # not ``asarray``, which compiles a copy for each shape

    return drawn


def _filling(fill: Callable[..., Any], value: int) -> Callable[..., Any]:
    @wraps(fill)
    def filled(shape: Any, dtype: Any = None) -> Any:
        if not _is_active():
            return fill(shape, dtype=dtype)
        jax = _jax()
        return jax.device_put(np.full(shape, value, jax.numpy.dtype(keras.backend.standardize_dtype(dtype))))

    return filled


def _are_plain(numbers: dict[str, Any]) -> bool:
    return all(isinstance(number, int | float) for number in numbers.values())


def _is_active() -> bool:
    is_within = getattr(_here, "depth", 0) > 0
    return bool(is_within and not isinstance(_jax().numpy.add(0, 0), _jax().core.Tracer))


def _module_with(module: str, *names: str) -> Any | None:
    try:
        found = import_module(module)
    except ImportError:
        return None
    return found if all(hasattr(found, name) for name in names) else None


def _jax() -> Any:
    return import_module("jax")
