"""Holds Python's garbage collector back where there is nothing to collect."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Within it, nobody looks for cycles. Also a decorator.

    What a journal tells forms none, and looking for some among ever more of it takes a fifth of the reading time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
