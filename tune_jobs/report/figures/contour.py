"""The figure of two parameters: the trials, above what their neighbours reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tune_jobs.analysis.parameter_axes import ParameterAxis
from tune_jobs.errors import RequestError
from tune_jobs.report.figures.parameters import chosen_axes, hover, jitter, parameter_axis
from tune_jobs.report.figures.style import SCALE, new_figure, text
from tune_jobs.report.figures.thinning import best_and_others, drawn_note
from tune_jobs.report.material import Material

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go
    from numpy.typing import NDArray

_MOST_POINTS = 300
_CELLS = 25
_SMOOTHING = 0.12
_FARTHEST = 2.5


def draw_contour(material: Material, x: str | None = None, y: str | None = None) -> go.Figure:
    """Return the figure of two parameters: the trials, above the objective that their neighbours had.

    Args:
        material: The material of the run.
        x: The parameter of the horizontal axis; None: the most important one.
        y: The parameter of the vertical axis; None: the most important one beside it.

    Raises:
        RequestError: A parameter is unknown, or there are no two to draw.
    """
    import numpy as np

    rest = [axis for axis in material.axes_by_importance if axis.label not in (x, y)]
    across = chosen_axes(material, [x])[0] if x is not None else (rest.pop(0) if rest else None)
    upwards = chosen_axes(material, [y])[0] if y is not None else (rest.pop(0) if rest else None)
    if across is None or upwards is None:
        raise RequestError("A contour needs two parameters that differ between the trials: wait for more trials.")
    both = across.active & upwards.active
    indices = np.flatnonzero(both).tolist()
    drawn = best_and_others(indices, _MOST_POINTS // 2, _MOST_POINTS // 2)
    notes = [drawn_note(drawn, indices, "trials")]
    if len(indices) < len(both):
        notes.append(f"both active in {len(indices):,} of {len(both):,} trials")
    names = f"{text(across.label)} and {text(upwards.label)}"
    figure = new_figure(f"{text(material.metric)} by {names}", ", ".join(filter(None, notes)), height=420)
    values = np.array(list(material.best_values.values()))
    low, high = _colour_bounds(values)
    colours = {"colorscale": SCALE, "reversescale": material.objective.is_better(0, 1)}
    if len(indices) >= 4:
        grid_x, grid_y, smooth = _smooth(across, upwards, np.clip(values, low, high), both)
        ground = {
            "x": grid_x,
            "y": grid_y,
            "z": smooth,
            "zmin": low,
            "zmax": high,
            **colours,
            "opacity": 0.75,
            "hovertemplate": "the neighbours: %{z:.4g}<extra></extra>",
            "colorbar": {
                "title": {"text": text(material.metric, 24), "side": "right"},
                "thickness": 12,
                "outlinewidth": 0,
            },
        }
        if across.categories is None and upwards.categories is None:
            lines = {"width": 0.5, "color": "rgba(255,255,255,0.5)"}
            figure.add_contour(**ground, contours={"coloring": "heatmap", "showlines": True}, line=lines)
        else:  # nothing lies between two categories
            figure.add_heatmap(**ground)
    figure.add_scatter(
        x=across.positions[drawn] + jitter(across, drawn),
        y=upwards.positions[drawn] + jitter(upwards, drawn, seed=1),
        mode="markers",
        marker={
            "size": 7,
            "color": values[drawn],
            "cmin": low,
            "cmax": high,
            **colours,
            "line": {"width": 1, "color": "white"},
        },
        **hover(material, drawn),
    )
    return figure.update_layout(xaxis=parameter_axis(across), yaxis=parameter_axis(upwards), showlegend=False)


def _colour_bounds(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of the better half, in which differences matter; ``values`` begins with the best."""
    half = values[: max(2, len(values) // 2)]
    return float(half.min()), float(half.max())


def _smooth(
    across: ParameterAxis, upwards: ParameterAxis, values: NDArray[np.float64], both: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a grid of positions, and the objective there: the mean of the trials, the nearer the heavier.

    Where no trial is near, it is NaN: nothing is known there.
    """
    import numpy as np

    places = [_scaled(of_parameter, of_parameter.positions[both]) for of_parameter in (across, upwards)]
    grids = [_grid(of_parameter, of_parameter.positions[both]) for of_parameter in (across, upwards)]
    scaled = [_scaled(of_parameter, grid) for of_parameter, grid in zip((across, upwards), grids, strict=True)]
    apart_x = (scaled[0][None, :, None] - places[0]) / _SMOOTHING
    apart_y = (scaled[1][:, None, None] - places[1]) / _SMOOTHING
    squares = apart_x**2 + apart_y**2
    weights = np.exp(-squares / 2)
    smooth = (weights * values[both]).sum(axis=2) / np.maximum(weights.sum(axis=2), 1e-12)
    return grids[0], grids[1], np.where(squares.min(axis=2) < _FARTHEST**2, smooth, np.nan)


def _grid(of_parameter: ParameterAxis, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    if of_parameter.categories is not None:
        return np.arange(len(of_parameter.categories), dtype=np.float64)
    return np.linspace(positions.min(), positions.max(), _CELLS)


def _scaled(of_parameter: ParameterAxis, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions between 0 and 1; categories are as far apart as can be."""
    if of_parameter.categories is not None:
        return positions * 1.0
    known = of_parameter.positions[of_parameter.active]
    low, high = float(known.min()), float(known.max())
    return (positions - low) / ((high - low) or 1.0)
