"""The look of all figures: colours that colour-blind people can tell apart, axes, texts that stay texts."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tune_jobs.errors import RequestError
from tune_jobs.results.journal.events import Status
from tune_jobs.views.text import clean, config_text, cut, score

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Okabe and Ito's colours, without black and yellow: each is seen on white and on black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "rgba(128,128,128,0.45)"
GRID = "rgba(128,128,128,0.22)"
LINE = "rgba(128,128,128,0.6)"
SCALE = "Viridis"
"""The scale of values: its lightness rises from one end to the other, so it can be read in grey as well."""
STATUS_COLOURS = {
    Status.COMPLETED: "#0072B2",
    Status.STOPPED: "#56B4E9",
    Status.RUNNING: "#009E73",
    Status.PAUSED: "#8DD3B4",
    Status.INTERRUPTED: "#E69F00",
    Status.DIVERGED: "#CC79A7",
    Status.FAILED: "#D55E00",
    Status.OUT_OF_MEMORY: "#A04000",
    Status.REFUSED: "#7F7F7F",
}
WHOLE = ",d"
"""The format of the ticks of an axis that counts, by which the page and the pictures know one."""
_TICKS = 10
_WIDEST_NAME = 40
_WIDEST_CONFIG = 300
_LINE_OF_CONFIG = 70


def check_plotly() -> None:
    """Check that figures can be drawn.

    Raises:
        RequestError: plotly is not installed.
    """
    if find_spec("plotly") is None:
        raise RequestError("Figures need plotly, which is not installed: pip install 'tune-jobs[report]'.")


def text(value: object, most: int = _WIDEST_NAME) -> str:
    """Return a text that plotly draws as it is: it reads tags, entities, formulas between dollars, and templates.

    Args:
        value: The text.
        most: The number of columns at most.
    """
    escaped = html.escape(cut(clean(value), most), quote=False)
    return escaped.replace("$", "&#36;").replace("%{", "%&#123;")


def config_lines(config: Mapping[str, Any]) -> str:
    """Return a configuration as the lines of a hover text."""
    whole = cut(config_text(config), _WIDEST_CONFIG)
    lines: list[str] = []
    for part in whole.split(", "):
        if lines and len(lines[-1]) + len(part) < _LINE_OF_CONFIG:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return "<br>".join(text(line, _WIDEST_CONFIG) for line in lines)


def trial_text(trial: int, value: float | None, metric: str, config: Mapping[str, Any]) -> str:
    """Return the hover text of a trial: its number, its objective and its configuration."""
    return f"trial {trial}: {text(metric)} {score(value)}<br>{config_lines(config)}"


def new_figure(title: str, note: str = "", height: int = 420) -> go.Figure:
    """Return an empty figure.

    Args:
        title: The title; names in it must have gone through ``text``.
        note: What the figure leaves out, or how to read it; it stands below the title.
        height: The height in pixels. The width is that of the place where the figure is shown.
    """
    check_plotly()
    import plotly.graph_objects as go

    titles = {"text": title, "x": 0.0, "xref": "container", "xanchor": "left", "pad": {"l": 12}}
    if note:
        titles["subtitle"] = {"text": note, "font": {"size": 12}}
    layout = {
        "template": "none",
        "title": titles,
        "height": height,
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#222222"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 64, "r": 16, "t": 76 if note else 52, "b": 52},
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "namelength": -1},
        "legend": {"orientation": "h", "yref": "container", "y": 0.0, "yanchor": "bottom", "x": 0.0, "xanchor": "left"},
        "meta": {"note": note},
    }
    return go.Figure(layout=layout)


def message_figure(message: str) -> dict[str, Any]:
    """Return a figure, as JSON, that says why nothing is drawn."""
    return {"data": [], "layout": {"title": {"text": text(message, 200)}, "height": 240, "template": "none"}}


def axis(title: str, **more: Any) -> dict[str, Any]:
    """Return the settings of an axis with a title; names in it must have gone through ``text``."""
    return {
        "title": {"text": title, "standoff": 8},
        "gridcolor": GRID,
        "linecolor": LINE,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "tickcolor": LINE,
        "automargin": True,
        **more,
    }


def count_axis(title: str, span: float, **more: Any) -> dict[str, Any]:
    """Return the settings of an axis that counts, such as trials or epochs: it has ticks at whole numbers only.

    Args:
        title: The title; names in it must have gone through ``text``.
        span: The length of the axis. plotly sets at most ten ticks, so that a long one has whole steps anyway.
        more: Other settings.
    """
    step = {"dtick": 1} if span < _TICKS else {}
    return axis(title, tickformat=WHOLE, **step, **more)


def log_ticks(positions: Sequence[float]) -> dict[str, Any]:
    """Return the ticks of an axis whose positions are logarithms to base 10."""
    low, high = min(positions), max(positions)
    steps = [float(power) + offset for power in range(int(low) - 2, int(high) + 2) for offset in _steps(high - low)]
    inside = [step for step in steps if low - 0.05 <= step <= high + 0.05]
    values = inside if len(inside) >= 2 else [low, high]
    return {"tickvals": values, "ticktext": [f"{10**step:.3g}" for step in values]}


def _steps(decades: float) -> Sequence[float]:
    return (0.0,) if decades > 2 else (0.0, 0.30103, 0.69897)
