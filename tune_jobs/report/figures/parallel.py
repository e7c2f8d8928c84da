"""The figure of parallel coordinates: a line a trial through its parameters to its objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tune_jobs.analysis.parameter_axes import ParameterAxis
from tune_jobs.errors import RequestError
from tune_jobs.report.figures.parameters import chosen_axes
from tune_jobs.report.figures.style import SCALE, log_ticks, new_figure, text
from tune_jobs.report.figures.thinning import best_and_others, drawn_note
from tune_jobs.report.material import Material
from tune_jobs.views.text import score

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_AXES = 10
_MOST_TRIALS = 1000
_MOST_TICKS = 12
_GAP = 0.12


def draw_parallel(material: Material, parameters: Sequence[str] | None = None) -> go.Figure:
    """Return the figure of parallel coordinates. A part of an axis can be chosen with the mouse.

    Args:
        material: The material of the run.
        parameters: The leaderboard's columns to draw; None: those of the ten most important.

    Raises:
        RequestError: A parameter is unknown, or no trial has a finite objective yet.
    """
    values = list(material.best_values.values())
    if not values:
        raise RequestError(f"No trial has a finite {material.metric} yet: wait for the first epoch.")
    axes = chosen_axes(material, parameters)[:_MOST_AXES]
    indices = list(range(len(values)))
    drawn = best_and_others(indices, _MOST_TRIALS // 2, _MOST_TRIALS // 2)
    notes = [drawn_note(drawn, indices, "trials"), drawn_note(axes, material.axes, "parameters")]
    figure = new_figure(f"Parameters and {text(material.metric)}", ", ".join(filter(None, notes)), height=460)
    half = sorted(values[: max(2, len(values) // 2)])
    shown = (half[0], half[-1]) if half[0] < half[-1] else (half[0] - 0.5, half[0] + 0.5)
    clipped = [min(max(values[index], shown[0]), shown[1]) for index in drawn]
    dimensions = [_dimension(axis, drawn) for axis in axes]
    dimensions.append(
        {
            "label": text(material.metric, 24),
            "values": clipped,
            "range": shown,
            "tickvals": [shown[0] + (shown[1] - shown[0]) * step / 4 for step in range(5)],
            "ticktext": [score(shown[0] + (shown[1] - shown[0]) * step / 4) for step in range(5)],
        }
    )
    figure.add_parcoords(
        dimensions=dimensions,
        line={
            "color": clipped,
            "colorscale": SCALE,
            # The best are dark: on white they stand out. The page turns it round where its ground is dark.
            "reversescale": material.objective.is_better(1, 0),
            "cmin": shown[0],
            "cmax": shown[1],
            "showscale": False,
        },
        labelangle=-20 if len(axes) > 5 else 0,
        unselected={"line": {"opacity": 0.06}},
    )
    top = (130 if len(axes) > 5 else 110) + (24 if any(notes) else 0)
    figure.update_layout(margin={"l": 70, "r": 60, "t": top, "b": 30})
    return figure


def _steps(low: float, high: float, *, is_whole: bool) -> list[float]:
    """Return up to five values between two, evenly spread; whole ones if only such have a meaning."""
    steps = [low + (high - low) * step / 4 for step in range(5)]
    return list(dict.fromkeys(float(round(step)) if is_whole else step for step in steps))


def _dimension(axis: ParameterAxis, drawn: Sequence[int]) -> dict[str, Any]:
    """Return an axis. Trials in which the parameter is not active pass below its lowest value."""
    import numpy as np

    positions = axis.positions[drawn]
    active = positions[~np.isnan(positions)]
    low, high = (float(active.min()), float(active.max())) if len(active) else (0.0, 1.0)
    span = (high - low) or 1.0
    ticks: dict[str, Any]
    if axis.categories is None:
        steps = _steps(low, high, is_whole=axis.is_whole)
        ticks = (
            log_ticks([low, high])
            if axis.is_log
            else {"tickvals": steps, "ticktext": [f"{at:,.0f}" if axis.is_whole else f"{at:.3g}" for at in steps]}
        )
    else:
        names = [text(name, 16) for name in axis.categories]
        every = max(1, len(names) // _MOST_TICKS)
        ticks = {"tickvals": list(range(0, len(names), every)), "ticktext": names[::every]}
    below = low - _GAP * span
    if len(active) < len(positions):
        ticks = {"tickvals": [below, *ticks["tickvals"]], "ticktext": ["not active", *ticks["ticktext"]]}
        positions = np.where(np.isnan(positions), below, positions)
        low = below
    return {
        "label": text(axis.label, 24),
        "values": positions,
        "range": (low, low + span if low == high else high),
        **ticks,
    }
