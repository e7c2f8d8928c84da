"""Errors that Python itself would print, such as those in a thread of the user's code: a line each, no traceback."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from tune_jobs.base.plain_text import plain_text

_Hook = Callable[[Any], object]


@contextmanager
def background_errors_in_a_line(shows_all: Callable[[], bool]) -> Iterator[None]:
    """Tell an error in a thread, or in a method that Python calls by itself such as ``__del__``, in one line.

    What comes while a run goes on belongs into the run's log, with its traceback. So does all of it with ``--debug``.
    A hook that somebody else had set is put back afterwards. Python's own would print what comes when the process ends.

    Args:
        shows_all: Returns whether tracebacks are wanted.
    """
    in_threads, unraisable = threading.excepthook, sys.unraisablehook
    threads = set(threading.enumerate())
    threading.excepthook = _hook(in_threads, shows_all, _of_a_thread)
    sys.unraisablehook = _hook(unraisable, shows_all, _of_a_method)
    try:
        yield
    finally:
        goes_on = any(thread not in threads and not thread.daemon for thread in threading.enumerate())
        if in_threads is not threading.__excepthook__ and not goes_on:
            threading.excepthook = in_threads
        if unraisable is not sys.__unraisablehook__:
            sys.unraisablehook = unraisable


def _hook(usual: _Hook, shows_all: Callable[[], bool], sentence: Callable[[Any], str]) -> _Hook:
    def tell(raised: Any) -> None:
        output = sys.modules.get("tune_jobs.host.output")  # nothing can be imported when the process ends
        if shows_all() or (output is not None and output.is_redirected()):
            usual(raised)
        elif raised.exc_value is not None and not issubclass(raised.exc_type, SystemExit):
            click.echo(f"note: {' '.join(plain_text(sentence(raised)).split())}; --debug shows where.", err=True)

    return tell


def _of_a_thread(raised: Any) -> str:
    return f"The thread {getattr(raised.thread, 'name', '')} ended with {_described(raised)}"


def _of_a_method(raised: Any) -> str:
    name = getattr(raised.object, "__qualname__", type(raised.object).__qualname__)
    return f"{name} raised {_described(raised)}, which Python ignores"


def _described(raised: Any) -> str:
    try:
        return f"{raised.exc_type.__name__}: {raised.exc_value}"
    except Exception:  # noqa: BLE001 - its __str__ may raise anything
        return str(raised.exc_type.__name__)
