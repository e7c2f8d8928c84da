"""The figures of parameters: each against the objective, and their importance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tune_jobs.analysis.parameter_axes import ParameterAxis
from tune_jobs.errors import RequestError
from tune_jobs.report.figures.style import LINE, PALETTE, axis, count_axis, log_ticks, new_figure, text, trial_text
from tune_jobs.report.figures.thinning import best_and_others, drawn_note
from tune_jobs.report.material import Material
from tune_jobs.views.plots.curve_limits import limits

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go
    from numpy.typing import NDArray

MOST_PANELS = 12
_COLUMNS = 3
_MOST_POINTS = 400
_LITTLE = 0.2


def chosen_axes(material: Material, parameters: Sequence[str] | None) -> list[ParameterAxis]:
    """Return the axes of some parameters, or all, the most important first.

    Args:
        material: The material of the run.
        parameters: The labels of the axes, or the names of whole parameters; None: all.

    Raises:
        RequestError: A parameter is unknown, or no parameter differs between the trials yet.
    """
    axes = material.axes_by_importance
    if parameters is None:
        if not axes:
            raise RequestError(
                "No parameter has two values among the trials yet: wait for more trials with a finite "
                f"{material.metric}."
            )
        return axes
    chosen = []
    for name in parameters:
        matching = [axis for axis in material.axes if name in (axis.label, axis.name)]
        if not matching:
            known = ", ".join(axis.label for axis in material.axes) or "none"
            raise RequestError(
                f"The parameter {name!r} has no two values among the trials, but must be one of {known}."
            )
        chosen += matching
    return chosen


def draw_slice(material: Material, parameters: Sequence[str] | None = None) -> go.Figure:
    """Return the figure with a panel for each parameter, against the objective.

    Args:
        material: The material of the run.
        parameters: The leaderboard's columns, or names of whole parameters; None: the twelve most important.

    Raises:
        RequestError: A parameter is unknown, or no parameter has two values among the trials yet.
    """
    axes = chosen_axes(material, parameters)
    shown = axes[:MOST_PANELS]
    drawn = _drawn(material, _MOST_POINTS)
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    notes = [drawn_note(shown, axes, "parameters"), drawn_note(drawn, material.best_values, "trials")]
    title = f"{text(shown[0].label) if len(shown) == 1 else 'Parameters'} and {text(material.metric)}"
    figure = new_figure(title, ", ".join(filter(None, notes)), height=320 if rows == 1 else 130 + 260 * rows)
    bounds = _value_bounds(material)
    for index, of_parameter in enumerate(shown):
        number = "" if index == 0 else str(index + 1)
        row, column = divmod(index, columns)
        figure.add_trace(_points(material, of_parameter, drawn, f"x{number}", f"y{number}"))
        figure.update_layout(
            {
                f"xaxis{number}": {
                    **parameter_axis(of_parameter),
                    "domain": _part(column, columns, 0.08),
                    "anchor": f"y{number}",
                },
                f"yaxis{number}": axis(
                    text(material.metric) if column == 0 else "",
                    range=bounds,
                    domain=_part(rows - 1 - row, rows, 0.3 if rows > 1 else 0.0),
                    anchor=f"x{number}",
                    showticklabels=column == 0,
                ),
            }
        )
    return figure.update_layout(showlegend=False)


def draw_importance(material: Material) -> go.Figure:
    """Return the figure of the importance of the parameters, with its uncertainty.

    Args:
        material: The material of the run.

    Raises:
        RequestError: Too few trials have a finite objective.
    """
    from tune_jobs.analysis.importance import measure_importance

    found = material.importances or measure_importance(material.run, material.history)
    rows = list(reversed(found.parameters[:25]))
    note = f"a forest foretells {max(0.0, found.explained):.0%} of the ranks of {found.trials:,} trials"
    if found.explained < _LITTLE:
        note += ": too little to trust this"
    figure = new_figure(f"Importance for {text(material.metric)}", note, height=130 + 30 * len(rows))
    figure.add_bar(
        orientation="h",
        y=[text(row.name) + ("" if row.active == 1 else f" (in {row.active:.0%})") for row in rows],
        x=[row.importance for row in rows],
        error_x={"type": "data", "array": [row.spread for row in rows], "color": LINE, "thickness": 2},
        marker={"color": PALETTE[0]},
        text=[f"active in {row.active:.0%} of the trials" for row in rows],
        textposition="none",
        hovertemplate="%{y}: %{x:.3f} ± %{error_x.array:.3f}, %{text}<extra></extra>",
    )
    title = "lost part of the variance"
    return figure.update_layout(xaxis=axis(title, rangemode="tozero"), yaxis=axis("", type="category"))


def parameter_axis(of_parameter: ParameterAxis) -> dict[str, Any]:
    """Return the settings of an axis for the values of a parameter."""
    title = text(of_parameter.label)
    if of_parameter.categories is not None:
        names = [text(name, 24) for name in of_parameter.categories]
        return axis(title, tickvals=list(range(len(names))), ticktext=names, range=(-0.5, len(names) - 0.5))
    if of_parameter.is_log:
        active = of_parameter.positions[of_parameter.active].tolist()
        return axis(f"{title} (log)", **log_ticks(active))
    return count_axis(title, of_parameter.span) if of_parameter.is_whole else axis(title)


def _drawn(material: Material, most: int) -> list[int]:
    return best_and_others(range(len(material.best_values)), most // 2, most // 2)


def _points(material: Material, of_parameter: ParameterAxis, drawn: Sequence[int], x: str, y: str) -> go.Scatter:
    import numpy as np
    import plotly.graph_objects as go

    values = np.array(list(material.best_values.values()))
    numbers = list(material.best_values)
    active = [index for index in drawn if of_parameter.active[index]]
    return go.Scatter(
        x=of_parameter.positions[active] + jitter(of_parameter, active),
        y=values[active],
        xaxis=x,
        yaxis=y,
        mode="markers",
        marker={
            "size": 6,
            "opacity": 0.8,
            "color": [numbers[index] for index in active],
            "colorscale": "Cividis",
            "cmin": 0,
            "cmax": max(numbers),
            "line": {"width": 0.5, "color": "rgba(255,255,255,0.6)"},
        },
        **hover(material, active),
    )


def jitter(of_parameter: ParameterAxis, indices: Sequence[int], seed: int = 0) -> NDArray[np.float64]:
    """Return small shifts that tell trials of one category apart; the same ones each time."""
    import numpy as np

    if of_parameter.categories is None:
        return np.zeros(len(indices))
    return np.random.default_rng(seed).uniform(-0.18, 0.18, len(indices))


def hover(material: Material, indices: Sequence[int]) -> dict[str, Any]:
    """Return the hover texts of trials, and their numbers for a click.

    Args:
        material: The material of the run.
        indices: The ranks of the trials, from 0.
    """
    numbers = list(material.best_values)
    trials = [numbers[index] for index in indices]
    texts = [
        trial_text(trial, material.best_values[trial], material.metric, material.history.trials[trial].config)
        for trial in trials
    ]
    return {"customdata": trials, "text": texts, "hovertemplate": "%{text}<extra></extra>"}


def _value_bounds(material: Material) -> tuple[float, float] | None:
    values = list(material.best_values.values())
    half = max(2, len(values) // 2)
    return limits([[value] for value in values[:half]], [[value] for value in values[half:]])


def _part(index: int, count: int, gap: float) -> tuple[float, float]:
    width = (1.0 - gap * (count - 1) / count) / count
    begin = index * (width + gap / count)
    return begin, min(1.0, begin + width)
