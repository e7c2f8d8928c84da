"""The choice of a view for an output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tune_jobs.views.progress.live import LiveView
from tune_jobs.views.progress.plain import PlainView

if TYPE_CHECKING:
    from rich.console import Console


def view_for(console: Console) -> LiveView | PlainView:
    """Return the live view for a terminal that can be redrawn, plain lines for every other output."""
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveView(console)
    return PlainView(console.file)
