"""Less work for Python's garbage collector where there is little to collect."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 50_000


@contextmanager
def gc_paused() -> Iterator[None]:
    """Disable the garbage collector within a block, or while a decorated function runs.

    The events of a journal form no reference cycles. To look for cycles among ever more of them takes a fifth of the
    time that reading a journal takes.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def gc_seldom() -> Iterator[None]:
    """Let the garbage collector look at young objects after 50,000 new ones within a block, instead of after 700.

    A command of seconds imports Ray, pandas and HyperOpt, and makes hardly a cycle: to look for them took a fifth of
    the imports' CPU time.
    """
    young, middle, old = gc.get_threshold()
    gc.set_threshold(max(young, _NEW_OBJECTS), middle, old)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)


def end_quickly() -> None:
    """Let this process leave its memory to the system when it ends: Python would take it apart, object by object.

    That takes 0.6 s after Ray, pandas and HyperOpt were imported. Nothing is lost: see ``leave_memory``.
    """
    atexit.unregister(_leave_memory)
    atexit.register(_leave_memory)


def _leave_memory() -> None:
    from trainables.exits import leave_memory  # help and errors are printed before the package is imported

    leave_memory()
