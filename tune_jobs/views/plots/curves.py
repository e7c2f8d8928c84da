"""The picture of a run's learning curves: training and validation, epoch by epoch. A sweep has one panel a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tune_jobs.analysis.sweep_path import StepResult, is_swept, read_steps
from tune_jobs.errors import RequestError
from tune_jobs.results.ranking import ranking
from tune_jobs.views.plots.canvas import new_figure, plain, save
from tune_jobs.views.plots.curve_limits import limits, outside
from tune_jobs.views.text import cut, score, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tune_jobs.results import History, TrialHistory
    from tune_jobs.results.run import Run

_VALIDATION = "val_"
_MOST_LABELLED = 10
_MOST_IN_A_ROW = 3
_WIDEST_LABEL = 30
_ONE_PANEL_IN = (9.0, 5.0)
_PANEL_IN = (5.2, 3.3)
_MARGIN = 0.03
_GREY = "0.8"


@dataclass(frozen=True)
class Panel:
    """One panel of the picture.

    Attributes:
        title: The title of the panel.
        labels: The legend's text of each trial that it names, in the legend's order.
        ranked: The same trials, the best first.
        others: Trials that are drawn in grey.
        winner: The trial to emphasise.
    """

    title: str
    labels: Mapping[int, str]
    ranked: Sequence[int]
    others: Sequence[int]
    winner: int | None


def draw(run: Run, metric: str | None, output: Path) -> None:
    """Draw the learning curves of a run into a file.

    Args:
        run: The run.
        metric: See ``figure``.
        output: The file. It is replaced if it exists.

    Raises:
        RequestError: No trial has reported the metric, or the file cannot be written.
    """
    save(figure(run, metric), output)


def figure(run: Run, metric: str | None = None) -> Figure:
    """Return the picture as a matplotlib figure.

    Args:
        run: The run.
        metric: The name of a metric on either data set, such as accuracy or val_accuracy: both are drawn. None takes
            the objective.

    Raises:
        RequestError: No trial has reported the metric.
    """
    history = run.history()
    metrics = _metrics(history, metric or run.objective.metric)
    panels = _panels(run, history)
    columns = 2 if len(panels) == 4 else min(len(panels), _MOST_IN_A_ROW)
    rows = math.ceil(len(panels) / columns)
    width_in, height_in = _ONE_PANEL_IN if len(panels) == 1 else (_PANEL_IN[0] * columns, _PANEL_IN[1] * rows + 0.6)
    whole = new_figure(width_in, height_in)
    axes = list(whole.subplots(rows, columns, squeeze=False).flat)
    for panel_axes, panel in zip(axes, panels, strict=False):
        _draw_panel(panel_axes, panel, history.trials, metrics)
        _name_lines(panel_axes, panel, f"best {run.objective.metric}")
    for unused in axes[len(panels) :]:
        unused.remove()
    whole.suptitle(plain(run.name), fontweight="bold")
    _explain_lines(whole, metrics)
    return whole


def _metrics(history: History, metric: str) -> list[str]:
    """Return the metrics to draw that trials have reported, the validation metric first."""
    known = {name for trial in history.trials.values() for epoch in trial.epochs.values() for name in epoch.metrics}
    name = metric.removeprefix(_VALIDATION)
    if pair := [candidate for candidate in (_VALIDATION + name, name) if candidate in known]:
        return pair
    remedy = f"choose one of {', '.join(sorted(known))}" if known else "no epoch has ended yet"
    raise RequestError(f"No trial has reported the metric `{metric}`: {remedy}.")


def _panels(run: Run, history: History) -> list[Panel]:
    metric = run.objective.metric
    values = {
        ranked.trial.trial: ranked.best.metrics[metric] for ranked in ranking(history, run.objective) if ranked.best
    }
    if is_swept(run):
        return [_step_panel(step, values) for step in read_steps(run) if step.trials]
    top = list(values)[:_MOST_LABELLED]
    labels = {trial: f"trial {trial}  {score(values[trial])}" for trial in top}
    others = [trial for trial in history.trials if trial not in labels]
    title = f"the {len(top)} best of {len(history.trials)} trials" if others else ""
    return [Panel(title, labels, top, others, top[0] if top else None)]


def _step_panel(step: StepResult, values: Mapping[int, float]) -> Panel:
    ranked = [trial for trial in values if trial in step.trials][:_MOST_LABELLED]
    named = [trial for trial in step.trials if trial in ranked]
    labels = {trial: f"{_values_text(step.values(trial))}  {score(values[trial])}" for trial in named}
    others = [trial for trial in step.trials if trial not in labels]
    return Panel(f"{step.number}  {', '.join(step.names)}", labels, ranked, others, step.winner)


def _values_text(values: Mapping[str, Any]) -> str:
    return cut(", ".join(map(value_text, values.values())) or "not active", _WIDEST_LABEL)


def _draw_panel(axes: Axes, panel: Panel, trials: Mapping[int, TrialHistory], metrics: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    half = math.ceil(len(panel.ranked) / 2)
    good, others = (
        [_curve(trials[trial], metric) for trial in part for metric in metrics]
        for part in (panel.ranked[:half], panel.ranked[half:])
    )
    bounds = limits(good, others)
    _draw_others(axes, [trials[trial] for trial in panel.others], metrics[0])
    for index, (trial, label) in enumerate(panel.labels.items()):
        wins = trial == panel.winner
        if bounds and (side := outside(_curve(trials[trial], metrics[0]), bounds)):
            label += f" ({side})"
        look = {"color": f"C{index}", "zorder": 3 if wins else 2}
        _draw_line(axes, trials[trial], metrics[0], label=plain(label), linewidth=2.4 if wins else 1.4, **look)
        for metric in metrics[1:]:
            _draw_line(axes, trials[trial], metric, linewidth=1.0, linestyle="--", markerfacecolor="white", **look)
    if bounds:
        axes.set_ylim(*bounds)
    axes.set_title(plain(panel.title), loc="left", fontsize="medium", fontweight="bold")
    axes.set_xlabel("epoch")
    axes.set_ylabel(plain(metrics[-1].removeprefix(_VALIDATION)))
    last = max((max(trials[trial].epochs, default=1) for trial in (*panel.labels, *panel.others)), default=1)
    axes.set_xlim(1 - _MARGIN * last, last + _MARGIN * last)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_others(axes: Axes, others: Sequence[TrialHistory], metric: str) -> None:
    """Draw the trials without a name. They are one artist together: 25,000 lines of their own would take 15 s."""
    from matplotlib.collections import LineCollection

    curves = [list(zip(trial.epochs, _curve(trial, metric), strict=True)) for trial in others]
    look: dict[str, Any] = {"linewidth": 0.8, "zorder": 1}
    lines = LineCollection([curve for curve in curves if len(curve) > 1], colors=_GREY, label="_others", **look)
    axes.add_collection(lines)
    points = [curve[0] for curve in curves if len(curve) == 1]  # a line through one point cannot be seen
    if points:
        axes.plot(*zip(*points, strict=True), color=_GREY, linestyle="", marker="o", markersize=4, **look)


def _name_lines(axes: Axes, panel: Panel, heading: str) -> None:
    if not panel.labels:
        return
    beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0), "alignment": "left"}
    legend = axes.legend(title=plain(heading), title_fontsize="small", fontsize="small", frameon=False, **beside)
    for trial, text in zip(panel.labels, legend.get_texts(), strict=True):
        text.set_fontweight("bold" if trial == panel.winner else "normal")


def _draw_line(axes: Axes, trial: TrialHistory, metric: str, **look: Any) -> None:
    curve = _curve(trial, metric)
    # A line through one point cannot be seen.
    axes.plot(list(trial.epochs), curve, marker="o" if len(curve) == 1 else None, markersize=4, **look)


def _curve(trial: TrialHistory, metric: str) -> list[float]:
    return [epoch.metrics.get(metric, math.nan) for epoch in trial.epochs.values()]


def _explain_lines(whole: Figure, metrics: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color="0.3", linestyle="-"), Line2D([], [], color="0.3", linestyle="--")]
    whole.legend(
        lines[: len(metrics)], list(map(plain, metrics)), loc="outside lower center", ncols=len(metrics), frameon=False
    )
