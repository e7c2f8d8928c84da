"""The output of commands."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console

VERBOSE = "tune_jobs.verbose"


def console_of(stream: TextIO) -> Console:
    """Return a console that neither reads markup nor colours its text."""
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False)


@contextmanager
def own_stdout() -> Iterator[TextIO]:
    """Yield a standard output that stays in place while a run redirects its descriptor into a log."""
    stream = _own(sys.stdout)
    try:
        yield stream
    finally:
        if stream is not sys.stdout:
            stream.close()


@contextmanager
def own_stderr() -> Iterator[TextIO]:
    """Yield a standard error that stays in place while a run redirects its descriptor into a log."""
    stream = _own(sys.stderr)
    try:
        yield stream
    finally:
        if stream is not sys.stderr:
            stream.close()


def can_ask() -> bool:
    """Return whether somebody sits at a terminal and can answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def show_log(ctx: click.Context) -> None:
    """Show the log of this package on stderr until the command ends.

    A run redirects stderr into its own log meanwhile; the lines go to where stderr was before.
    """
    if ctx.meta.get(VERBOSE):
        return
    ctx.meta[VERBOSE] = True
    logger, stream = logging.getLogger("tune_jobs"), _own(sys.stderr)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_OneLine("%(asctime)s %(name)s: %(message)s"))
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)

    def hide_log() -> None:
        logger.removeHandler(handler)
        logger.setLevel(level)
        if stream is not sys.stderr:
            stream.close()

    ctx.call_on_close(hide_log)


class _OneLine(logging.Formatter):
    """A formatter that leaves nothing in a line that a terminal would take for a command."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        from tune_jobs.views.text import clean

        return clean(super().format(record))


def _own(stream: TextIO | None) -> TextIO:
    if stream is None:  # the shell has closed it
        return Path(os.devnull).open("w", encoding="utf-8")
    try:
        descriptor = os.dup(stream.fileno())
    except (AttributeError, ValueError, OSError):  # no descriptor lies below it: nothing can be redirected
        return stream
    return os.fdopen(descriptor, "w", encoding=getattr(stream, "encoding", None), errors="replace")
