"""The figure of a comparison: the best so far of each strategy, the median between the quartiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tune_jobs.analysis.comparison.bands import find_limits, make_band
from tune_jobs.base.words import quantity
from tune_jobs.report.figures.style import PALETTE, axis, count_axis, new_figure, text

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from tune_jobs.analysis.comparison import Comparison

_DASHES = ("solid", "dash", "dot", "dashdot")


def draw_comparison(comparison: Comparison, over: Literal["epochs", "seconds"] = "epochs") -> go.Figure:
    """Return the figure of the best objective so far of each strategy.

    Args:
        comparison: The strategies.
        over: What the horizontal axis counts.
    """
    bands = [
        make_band([outcome.trajectory for outcome in strategy.outcomes], lambda reached: getattr(reached, over))
        for strategy in comparison.strategies
    ]
    note = "median and quartiles of the repeats" if comparison.is_repeated else ""
    figure = new_figure(f"Best {text(comparison.objective.metric)} so far", note)
    for index, (strategy, band) in enumerate(zip(comparison.strategies, bands, strict=True)):
        colour = PALETTE[index % len(PALETTE)]
        repeats = len(strategy.outcomes)
        name = text(strategy.name) + (f" ({quantity(repeats, 'repeat')})" if repeats > 1 else "")
        dash = _DASHES[index // len(PALETTE) % len(_DASHES)]
        if repeats > 1:
            shape = {"shape": "hv", "width": 0, "color": colour}
            hidden = {
                "mode": "lines",
                "line": shape,
                "hoverinfo": "skip",
                "showlegend": False,
                "legendgroup": str(index),
            }
            figure.add_scatter(x=band.costs, y=band.low, **hidden)
            figure.add_scatter(x=band.costs, y=band.high, fill="tonexty", fillcolor=_faint(colour), **hidden)
        figure.add_scatter(
            x=band.costs,
            y=band.median,
            mode="lines",
            name=name,
            legendgroup=str(index),
            line={"shape": "hv", "width": 2.5, "color": colour, "dash": dash},
            hovertemplate="%{x:,.0f}: %{y:.4g}<extra></extra>",
        )
    title = {"epochs": "epochs of all trials", "seconds": "seconds of running"}[over]
    limits = find_limits(bands, comparison.objective)
    metric = text(comparison.objective.metric)
    longest = max((float(band.costs[-1]) for band in bands if len(band.costs)), default=0.0)
    across = count_axis(title, longest) if over == "epochs" else axis(title)
    return figure.update_layout(xaxis={**across, "rangemode": "tozero"}, yaxis=axis(metric, range=limits))


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[index : index + 2], 16) for index in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.2)"
