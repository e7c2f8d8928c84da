"""Ctrl-C: the first ends the run in good order, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_STATUS = 130


@contextmanager
def on_interrupt(interrupt: Callable[[], None]) -> Iterator[None]:
    """Calls ``interrupt`` at the first SIGINT; the second one ends the process. Only the main thread can do this."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def handle(signum: int, frame: object) -> None:  # noqa: ARG001 - the interface's
        nonlocal pressed
        if pressed:
            os._exit(EXIT_STATUS)
        pressed = True
        interrupt()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
