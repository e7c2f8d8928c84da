"""Ctrl-C, and the SIGTERM of whoever takes the machine away: the first ends the run in good order."""

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
    """Calls ``interrupt`` at the first SIGINT or SIGTERM; the second ends the process. Only the main thread can.

    Enter it after Ray was started, which has a handler of its own for SIGTERM.
    """
    pressed = False

    def handle(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the interface's
        nonlocal pressed
        if pressed:
            os._exit(EXIT_STATUS)
        pressed = True
        interrupt()

    with _handled_by(handle):
        yield


@contextmanager
def terminable() -> Iterator[None]:
    """Has a SIGTERM raise ``KeyboardInterrupt``, as a SIGINT does: what was begun can then be undone."""
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def held_back() -> Iterator[None]:
    """Holds both signals back until the end, where ``KeyboardInterrupt`` is raised; the second ends the process.

    Ray must not be left while it starts or ends: an exception there leaves C++ threads that crash the process. Ray's
    own handler for SIGTERM, which raises one, is not installed meanwhile.
    """
    came = False

    def remember() -> None:
        nonlocal came
        came = True

    install = signal.signal

    def install_others(number: int, handler: signal.Handlers) -> object:
        return signal.getsignal(number) if number in _SIGNALS else install(number, handler)

    with on_interrupt(remember):
        signal.signal = install_others  # type: ignore[assignment]
        try:
            yield
        finally:
            signal.signal = install
    if came:
        raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
