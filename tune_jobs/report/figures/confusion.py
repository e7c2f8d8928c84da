"""The figure of a confusion matrix, from the file of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tune_jobs.report.figures.style import axis, new_figure, text

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_COUNTED = 30


def has_confusion(report: Mapping[str, Any]) -> bool:
    """Return whether a report of an evaluation has a confusion matrix that can be drawn."""
    counts, names = report.get("confusion"), report.get("class_names")
    return (
        isinstance(counts, list)
        and isinstance(names, list)
        and 0 < len(counts) == len(names)
        and all(isinstance(row, list) and len(row) == len(counts) for row in counts)
        and all(type(count) is int for row in counts for count in row)
    )


def draw_confusion(report: Mapping[str, Any], output: str, trial: int) -> go.Figure:
    """Return the figure of a confusion matrix: the share of each true class, and the counts.

    Args:
        report: The report of one output, for which ``has_confusion`` is true.
        output: The name of the output.
        trial: The number of the trial.
    """
    import numpy as np

    counts = np.array(report["confusion"], dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [text(name, 24) for name in report["class_names"]]
    labels = [f"{index} {name}" if names.count(name) > 1 else name for index, name in enumerate(names)]
    accuracy = counts.trace() / max(1.0, counts.sum())
    note = f"test set, {int(counts.sum()):,} examples, accuracy {accuracy:.4f}"
    figure = new_figure(f"Confusion: {text(output)}, trial {trial}", note, height=max(380, 170 + 26 * len(names)))
    is_small = len(names) <= _MOST_COUNTED
    figure.add_heatmap(
        x=labels,
        y=labels,
        z=shares,
        zmin=0,
        zmax=1,
        colorscale="Blues",
        text=[[f"{int(count):,}" for count in row] for row in counts],
        texttemplate="%{text}" if is_small else "",
        colorbar={"title": {"text": "share of the true class", "side": "right"}, "thickness": 12, "outlinewidth": 0},
        hovertemplate="true %{y}, predicted %{x}: %{text} (%{z:.1%})<extra></extra>",
    )
    return figure.update_layout(
        xaxis=axis("predicted", type="category"), yaxis=axis("true", type="category", autorange="reversed")
    )
