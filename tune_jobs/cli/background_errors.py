"""Errors that Python itself would print, such as those in a thread of the user's code: a line each, no traceback."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

_Hook = Callable[[Any], object]


@contextmanager
def background_errors_in_a_line(shows_all: Callable[[], bool]) -> Iterator[None]:
    """Tell an error in a thread, or in a method that Python calls by itself such as ``__del__``, in one line.

    What comes while a run goes on belongs into the run's log, with its traceback. So does all of it with ``--debug``.

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
        if not any(thread not in threads and not thread.daemon for thread in threading.enumerate()):
            threading.excepthook = in_threads  # else one of the user's threads outlives the command
        sys.unraisablehook = unraisable


def _hook(usual: _Hook, shows_all: Callable[[], bool], sentence: Callable[[Any, str], str]) -> _Hook:
    def tell(raised: Any) -> None:
        from trainables.exits import described
        from tune_jobs.host.output import is_redirected
        from tune_jobs.views.text import clean

        if shows_all() or is_redirected():
            usual(raised)
        elif raised.exc_value is not None and not issubclass(raised.exc_type, SystemExit):
            click.echo(f"note: {clean(sentence(raised, described(raised.exc_value)))}; --debug shows where.", err=True)

    return tell


def _of_a_thread(raised: Any, error: str) -> str:
    return f"The thread {getattr(raised.thread, 'name', '')} ended with {error}"


def _of_a_method(raised: Any, error: str) -> str:
    name = getattr(raised.object, "__qualname__", type(raised.object).__qualname__)
    return f"{name} raised {error}, which Python ignores"
