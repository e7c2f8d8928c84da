"""The surroundings of a run in this process: whatever it and the libraries change is put back when it is over."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_PutBack = Callable[[], object]
_FROZEN: list[bool] = []


@contextmanager
def preserved() -> Iterator[None]:
    """Leave this process as it was before the block, however the block ends.

    It is about what a person's own program relies on: environment, working folder, filters of warnings, handlers of
    signals and errors, loggers, global generators, and what is global in Keras. Output is ``redirect_output``'s part.
    What another thread changes meanwhile is put back, too: nobody can tell it from what the block changes.
    """
    with ExitStack() as undone, warnings.catch_warnings():
        for remember in (_environment, _folder, _generators, _keras, _loggers, _hooks, _signals):
            undone.callback(remember())
        yield


def stay_frozen() -> None:
    """Leave the objects that this process has frozen as they are, without counting them, which takes 0.02 s.

    It is for a process that was forked from one that had frozen all of its objects.
    """
    _FROZEN.append(True)


@contextmanager
def folder_kept() -> Iterator[Callable[[], Path | None]]:
    """Leave the current folder as it was before the block, however the block ends.

    Yields:
        A function that returns, after the block, the folder to which the block has changed; None: to no other.
    """
    changed_to: list[Path] = []
    put_back, before = _folder(), _current_folder()
    try:
        yield lambda: changed_to[0] if changed_to else None
    finally:
        if before is not None and (now := _current_folder()) not in (None, before):
            changed_to.append(Path(str(now)))
        put_back()


def _current_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:
        return None


def folder_problems() -> list[str]:
    """Return what is wrong with the current folder, in which workers begin, too."""
    try:
        Path.cwd()
    except OSError as error:
        return [f"The current folder cannot be used ({error.strerror}): change to one that exists, and try again."]
    return []


def _environment() -> _PutBack:
    before = dict(os.environ)

    def put_back() -> None:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        for name, value in before.items():
            if os.environ.get(name) != value:
                os.environ[name] = value

    return put_back


def _folder() -> _PutBack:
    try:
        before = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # it was removed, or may not be read
        return lambda: None

    def put_back() -> None:
        with suppress(OSError):
            os.fchdir(before)
        os.close(before)

    return put_back


def _generators() -> _PutBack:
    python = random.getstate()
    if (numpy := sys.modules.get("numpy")) is None:
        return lambda: random.setstate(python)
    state, errors = numpy.random.get_state(), numpy.geterr()

    def put_back() -> None:
        random.setstate(python)
        numpy.random.set_state(state)
        numpy.seterr(**errors)

    return put_back


def _keras() -> _PutBack:
    if "keras" not in sys.modules:  # importing it takes seconds, and there is nothing yet that could change
        return lambda: None
    from trainables.internals.global_state import remember_global_state

    return remember_global_state()


def _loggers() -> _PutBack:
    """Remember the loggers that exist. Those that come meanwhile are as their makers want them."""
    manager = logging.root.manager
    known = [logging.root, *(logger for logger in manager.loggerDict.values() if isinstance(logger, logging.Logger))]
    before = [
        (logger, logger.level, logger.propagate, logger.disabled, list(logger.handlers), list(logger.filters))
        for logger in known
    ]
    levels = {handler: handler.level for logger in known for handler in logger.handlers}
    disabled = manager.disable

    def put_back() -> None:
        for logger, level, propagate, is_disabled, handlers, filters in before:
            if logger.level != level:
                logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, is_disabled
            logger.handlers[:], logger.filters[:] = handlers, filters
        for handler, level in levels.items():
            handler.setLevel(level)
        if manager.disable != disabled:
            logging.disable(disabled)

    return put_back


def _hooks() -> _PutBack:
    hook, unraisable, in_threads = sys.excepthook, sys.unraisablehook, threading.excepthook
    had_fault_handler, frozen_objects = faulthandler.is_enabled(), _FROZEN or gc.get_freeze_count()

    def put_back() -> None:
        if not frozen_objects:
            gc.unfreeze()  # a training in this process has frozen all that there was
        sys.excepthook, sys.unraisablehook, threading.excepthook = hook, unraisable, in_threads
        if not had_fault_handler and faulthandler.is_enabled():  # Ray's writes to a descriptor that is closed by now
            faulthandler.disable()

    return put_back


def _signals() -> _PutBack:
    if threading.current_thread() is not threading.main_thread():  # no other may set handlers
        return lambda: None
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}

    def put_back() -> None:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)

    return put_back
