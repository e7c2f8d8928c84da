"""The choice of a view for an output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tune_jobs.views.progress.live import LiveView
from tune_jobs.views.progress.plain import PlainView

if TYPE_CHECKING:
    from rich.console import Console


def view_for(console: Console, *, redraw: bool = True) -> LiveView | PlainView:
    """Return the live view for a terminal that can be redrawn, plain lines for every other output.

    Args:
        console: The output.
        redraw: False if something else writes lines on the same terminal.
    """
    if redraw and console.is_terminal and not console.is_dumb_terminal:
        return LiveView(console)
    return PlainView(console.file)
