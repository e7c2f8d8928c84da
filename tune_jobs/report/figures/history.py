"""The figure of a search: every trial's best value, and the best so far, against trials, epochs or seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from trainables.report import has_objective
from tune_jobs.analysis.comparison.trajectory import running_times
from tune_jobs.base.words import quantity
from tune_jobs.errors import RequestError
from tune_jobs.report.figures.style import LINE, PALETTE, axis, count_axis, new_figure, text, trial_text
from tune_jobs.report.figures.thinning import best_and_others, drawn_note
from tune_jobs.report.material import Material
from tune_jobs.results.journal.events import EpochReported
from tune_jobs.views.plots.curve_limits import limits
from tune_jobs.views.text import score

if TYPE_CHECKING:
    import plotly.graph_objects as go

Over = Literal["trials", "epochs", "seconds"]
OVERS: tuple[Over, ...] = get_args(Over)
_TITLES = {"trials": "trial", "epochs": "epochs of all trials", "seconds": "seconds of running"}
_MOST_POINTS = 1200
_BEST_POINTS = 200


def draw_history(material: Material, over: Over = "trials") -> go.Figure:
    """Return the figure of the best objective so far.

    Args:
        material: The material of the run.
        over: What the horizontal axis counts.

    Raises:
        RequestError: ``over`` is none of the three.
    """
    if over not in OVERS:
        raise RequestError(f"The value of `over` is {over!r}, but must be one of {', '.join(OVERS)}.")
    metric = text(material.metric)
    positions, steps, end = _positions(material, over)
    ranked = list(material.best_values)
    drawn = sorted(best_and_others(ranked, _BEST_POINTS, _MOST_POINTS - _BEST_POINTS), key=positions.__getitem__)
    missing = len(material.history.trials) - len(ranked)
    notes = [drawn_note(drawn, ranked, "trials")]
    if missing:
        notes.append(f"{quantity(missing, 'trial')} without a finite value")
    figure = new_figure(f"Best {metric} so far", ", ".join(filter(None, notes)))
    figure.add_scatter(
        x=[positions[trial] for trial in drawn],
        y=[material.best_values[trial] for trial in drawn],
        mode="markers",
        name="best epoch of a trial",
        marker={"size": 6, "color": LINE},
        customdata=drawn,
        text=[
            trial_text(trial, material.best_values[trial], material.metric, material.history.trials[trial].config)
            for trial in drawn
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    if steps:
        x, values = [*(place for place, _ in steps), end], [*(value for _, value in steps), steps[-1][1]]
        figure.add_scatter(
            x=x,
            y=values,
            mode="lines",
            name="best so far",
            line={"shape": "hv", "width": 3, "color": PALETTE[0]},
            text=[score(value) for value in values],
            hovertemplate="best so far %{text}<extra></extra>",
        )
    values = list(material.best_values.values())
    half = max(2, len(values) // 2)
    shown = limits([[value] for value in values[:half]], [[value] for value in values[half:]])
    across = axis(_TITLES[over]) if over == "seconds" else count_axis(_TITLES[over], end)
    figure.update_layout(xaxis={**across, "rangemode": "tozero"}, yaxis=axis(metric, range=shown))
    return figure


def _positions(material: Material, over: Over) -> tuple[Mapping[int, float], list[tuple[float, float]], float]:
    """Return the position of each ranked trial's best epoch, the improvements, and the end of the axis."""
    if over == "trials":
        return _by_number(material)
    objective = material.objective
    trained: set[tuple[int, int]] = set()
    best_epochs = {row.trial.trial: row.best.epoch for row in material.ranked if row.best is not None}
    positions: dict[int, float] = {}
    steps: list[tuple[float, float]] = []
    end = 0.0
    for event, seconds in running_times(material.events):
        if not isinstance(event, EpochReported):
            continue
        trained.add((event.trial, event.epoch))
        end = float(len(trained)) if over == "epochs" else seconds
        if best_epochs.get(event.trial) == event.epoch:
            positions[event.trial] = end
        if not has_objective(event.metrics, material.metric):
            continue
        value = event.metrics[material.metric]
        if not steps or objective.is_better(value, steps[-1][1]):
            steps.append((end, value))
    return positions, steps, end


def _by_number(material: Material) -> tuple[Mapping[int, float], list[tuple[float, float]], float]:
    """Return the same over trials: each trial counts with its best epoch, in the order of the numbers."""
    steps: list[tuple[float, float]] = []
    for trial, value in sorted(material.best_values.items()):
        if not steps or material.objective.is_better(value, steps[-1][1]):
            steps.append((float(trial), value))
    positions = {trial: float(trial) for trial in material.best_values}
    return positions, steps, float(max(material.history.trials, default=0))
