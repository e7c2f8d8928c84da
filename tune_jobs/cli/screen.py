"""The output of commands."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def console_of(stream: TextIO) -> Console:
    """Return a console that neither reads markup nor colours its text."""
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False)


def own_stdout() -> TextIO:
    """Yield a standard output that stays in place while a run redirects its descriptor into a log."""
    try:
        descriptor = os.dup(sys.stdout.fileno())
    except io.UnsupportedOperation:  # no descriptor lies below it: nothing can be redirected
        return sys.stdout
    return os.fdopen(descriptor, "w", encoding=sys.stdout.encoding, errors="replace")
