"""Ctrl-C, and the SIGTERM of whoever takes the machine away: the first ends the run in good order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_STATUS = 130


@contextmanager
def on_interrupt(interrupt: Callable[[], None]) -> Iterator[None]:
    """Calls ``interrupt`` at the first SIGINT or SIGTERM; the second ends the process. Only the main thread can.

    Enter it after ``ray.init``, which has a handler of its own for SIGTERM.
    """
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

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
