"""The picture of a model's predictions on the test set: a confusion matrix, or predicted against true numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tune_jobs.errors import RequestError
from tune_jobs.evaluation.reports import Classification, Regression, Report
from tune_jobs.views.plots.canvas import new_figure, save
from tune_jobs.views.text import clean, cut, score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL_IN = 0.52
_MARGIN_IN = 3.0
_MOST_COUNTED = 30  # classes whose names and counts can be read
_LONGEST_NAME = 24
_MOST_POINTS = 10_000


def draw_reports(reports: Mapping[str, Report], title: str, output: Path) -> None:
    """Draw the reports of a model's outputs into a file, one panel an output.

    Args:
        reports: The report of each output, by the output's name. Those that cannot be drawn are left out.
        title: The title of the picture.
        output: The file. It is replaced if it exists.

    Raises:
        RequestError: No report can be drawn, or the file cannot be written.
    """
    drawable = {name: report for name, report in reports.items() if isinstance(report, Classification | Regression)}
    if not drawable:
        raise RequestError(f"There is nothing to draw into {output}: the model's outputs have no report.")
    save(figure_of(drawable, title), output)


def figure_of(reports: Mapping[str, Classification | Regression], title: str) -> Figure:
    """Return the picture as a matplotlib figure."""
    sizes = [_size_in(report) for report in reports.values()]
    figure = new_figure(sum(sizes) + 0.8, max(sizes))
    panels = figure.subplots(1, len(reports), squeeze=False, width_ratios=sizes)[0]
    figure.suptitle(clean(title))
    for panel, (name, report) in zip(panels, reports.items(), strict=True):
        if len(reports) > 1:
            panel.set_title(clean(name))
        if isinstance(report, Classification):
            _draw_confusion(figure, panel, report)
        else:
            _draw_regression(panel, report)
    return figure


def _size_in(report: Classification | Regression) -> float:
    if isinstance(report, Regression):
        return 5.5
    return _MARGIN_IN + _CELL_IN * min(len(report.class_names), _MOST_COUNTED)


def _draw_confusion(figure: Figure, panel: Any, report: Classification) -> None:
    counts = report.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=panel, label="share of the true class", shrink=0.7)
    panel.set_xlabel("predicted")
    panel.set_ylabel("true")
    classes = range(len(counts))
    if len(counts) > _MOST_COUNTED:
        return
    names = [cut(clean(name), _LONGEST_NAME) for name in report.class_names]
    panel.set_xticks(classes, names, rotation=90 if max(map(len, names)) > 3 else 0)
    panel.set_yticks(classes, names)
    for row in classes:
        for column in classes:
            dark = shares[row, column] > 0.5
            panel.text(
                column, row, f"{counts[row, column]}", ha="center", va="center", size=8, color="w" if dark else "k"
            )


def _draw_regression(panel: Any, report: Regression) -> None:
    true, predicted = report.true.ravel(), report.predicted.ravel()
    drawn = np.linspace(0, len(true) - 1, min(len(true), _MOST_POINTS)).astype(int)
    panel.scatter(true[drawn].astype(np.float64), predicted[drawn].astype(np.float64), s=9, alpha=0.4, linewidths=0)
    middle = float(true.mean(dtype=np.float64))
    panel.axline((middle, middle), slope=1, color="k", linewidth=0.8)
    panel.set_xlabel("true")
    panel.set_ylabel("predicted")
    panel.text(
        0.03,
        0.97,
        f"MAE {score(report.mae)}\nRMSE {score(report.rmse)}\nR2 {score(report.r2)}",
        transform=panel.transAxes,
        va="top",
    )
