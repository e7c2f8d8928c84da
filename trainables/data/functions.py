"""Functions that return a fresh generator: how they are called, and whether what they return can end."""

from __future__ import annotations

import dis
import functools
import inspect
import itertools
import operator
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any


def wants_epoch(function: Callable[..., Any]) -> bool:
    """Return whether a function has a parameter ``epoch``: then it is given the epoch, counted from 0."""
    try:
        return "epoch" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def generator_of(function: Callable[..., Any], epoch: int) -> Iterator[Any]:
    """Return the generator that a function returns for an epoch, counted from 0."""
    return iter(function(epoch=epoch) if wants_epoch(function) else function())


def never_ends(iterator: Any) -> bool:
    """Return whether an iterator has no end, as far as that can be seen without reading it.

    A generator whose code has no way to return is without an end, such as one of ``while True`` without a ``break``. So
    is one that yields from such an iterator, or a generator expression over it, and a ``count`` or a ``cycle``.

    Args:
        iterator: The iterator; of a generator that was begun, more is known.
    """
    if isinstance(iterator, itertools.count | itertools.cycle):
        return True
    if isinstance(iterator, itertools.repeat):
        return operator.length_hint(iterator, -1) < 0  # it has none without a number of times
    if not inspect.isgenerator(iterator):
        return False
    if not _can_return(iterator.gi_code) or never_ends(iterator.gi_yieldfrom):
        return True
    frame = iterator.gi_frame if iterator.gi_code.co_name == "<genexpr>" else None
    return frame is not None and never_ends(frame.f_locals.get(".0"))


def is_endless_loader(loader: Any) -> bool:
    """Return whether a ``DataLoader`` of PyTorch reads an ``IterableDataset`` without an end."""
    is_iterable = any(kind.__name__ == "IterableDataset" for kind in type(loader.dataset).__mro__)
    return is_iterable and cannot_return(type(loader.dataset).__iter__)


def cannot_return(function: Callable[..., Any]) -> bool:
    """Return whether a function is one with a ``yield`` whose code has no way to return; it is not called."""
    while isinstance(function, functools.partial):
        function = function.func
    if not hasattr(function, "__code__") and not inspect.ismethod(function):
        function = type(function).__call__
    return inspect.isgeneratorfunction(function) and not _can_return(function.__code__)


def _can_return(code: CodeType) -> bool:
    """Return whether code has an instruction that returns: Python leaves out those that cannot be reached."""
    return any(each.opname in ("RETURN_VALUE", "RETURN_CONST") for each in dis.get_instructions(code))
