"""The output of commands."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console

VERBOSE = "tune_jobs.verbose"


def console_of(stream: TextIO) -> Console:
    """Return a console that neither reads markup nor colours its text."""
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False)


def own_stdout() -> TextIO:
    """Return a standard output that stays in place while a run redirects its descriptor into a log."""
    return _own(sys.stdout)


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
    logger.setLevel(logging.INFO)

    def hide_log() -> None:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        if stream is not sys.stderr:
            stream.close()

    ctx.call_on_close(hide_log)


class _OneLine(logging.Formatter):
    """A formatter that leaves nothing in a line that a terminal would take for a command."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        from tune_jobs.views.text import clean

        return clean(super().format(record))


def _own(stream: TextIO) -> TextIO:
    try:
        descriptor = os.dup(stream.fileno())
    except io.UnsupportedOperation:  # no descriptor lies below it: nothing can be redirected
        return stream
    return os.fdopen(descriptor, "w", encoding=stream.encoding, errors="replace")
