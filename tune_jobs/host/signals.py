"""Ctrl-C and SIGTERM: the first ends the run in good order. Providers send SIGTERM before they take a machine."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_STATUS = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_interrupt(interrupt: Callable[[], None]) -> Iterator[None]:
    """Call a function at the first SIGINT or SIGTERM; end the process at the second.

    In other threads than the main thread, signals are left alone: Python does not allow more.

    Args:
        interrupt: The function. It is called between two instructions of the main thread.
    """
    has_come = False

    def handle(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the interface's
        nonlocal has_come
        if has_come:
            os._exit(EXIT_STATUS)
        has_come = True
        interrupt()

    with _handled_by(handle):
        yield


@contextmanager
def terminable() -> Iterator[None]:
    """Let a SIGTERM raise ``KeyboardInterrupt``, as a SIGINT does, so that started work can be undone."""
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let a SIGTERM raise ``KeyboardInterrupt``, and leave SIGINT as it is: a shell may have told it to be ignored."""
    with _handled_by(signal.default_int_handler, (signal.SIGTERM,)):
        yield


@contextmanager
def held_back() -> Iterator[None]:
    """Hold both signals back until the end of the block, and raise ``KeyboardInterrupt`` there if one came.

    A second signal ends the process. Ray must not be left while it starts or ends: an exception there leaves C++
    threads that crash the process.
    """
    has_come = False

    def remember() -> None:
        nonlocal has_come
        has_come = True

    with on_interrupt(remember):
        yield
    if has_come:
        raise KeyboardInterrupt


@contextmanager
def _handled_by(
    handler: Callable[[int, FrameType | None], object], numbers: tuple[signal.Signals, ...] = _SIGNALS
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A handler that is no function of Python (None) could not be put back, so such a signal is left alone.
    before = {number: known for number in numbers if (known := signal.getsignal(number)) is not None}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
