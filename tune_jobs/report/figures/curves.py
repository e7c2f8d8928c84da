"""The figure of learning curves: all trials, the best ones in colour, each ending where it was ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tune_jobs.errors import RequestError
from tune_jobs.report.figures.style import GREY, LINE, PALETTE, STATUS_COLOURS, axis, count_axis, new_figure, text
from tune_jobs.report.figures.thinning import best_and_others, drawn_note, evenly
from tune_jobs.report.material import Material
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.journal.events import Status
from tune_jobs.views.plots.curve_limits import limits
from tune_jobs.views.text import score

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_TRIALS = 200
_MOST_EPOCHS = 100
_MOST_RUNGS = 12
_BROKEN = (Status.DIVERGED, Status.FAILED, Status.OUT_OF_MEMORY)


def draw_curves(material: Material, metric: str | None = None, trials: Sequence[int] | None = None) -> go.Figure:
    """Return the figure of the learning curves.

    Args:
        material: The material of the run.
        metric: The metric; None: the objective's.
        trials: The trials to draw, each in colour; None: all, the best ones in colour.

    Raises:
        RequestError: No trial reported the metric, or a trial does not exist.
    """
    metric = metric or material.metric
    if metric not in material.metrics:
        known = ", ".join(material.metrics[:20]) or "nothing yet"
        raise RequestError(f"No trial has reported the metric `{metric}`; reported were: {known}.")
    if trials is not None and (unknown := [trial for trial in trials if trial not in material.history.trials]):
        raise RequestError(f"There is no trial {unknown[0]}: choose trials from the leaderboard.")
    order = [
        row.trial for row in material.ranked if any(metric in epoch.metrics for epoch in row.trial.epochs.values())
    ]
    if trials is not None:
        wanted = set(trials)
        order = [trial for trial in order if trial.trial in wanted]
    drawn = best_and_others(order, len(PALETTE), _MOST_TRIALS - len(PALETTE))
    notes = [drawn_note(drawn, order, "trials")]
    if any(len(trial.epochs) > _MOST_EPOCHS for trial in drawn):
        notes.append(f"at most {_MOST_EPOCHS} epochs of each")
    figure = new_figure(f"Learning curves: {text(metric)}", ", ".join(filter(None, notes)), height=480)
    top, others = drawn[: len(PALETTE)], drawn[len(PALETTE) :]
    _add_others(figure, others, metric)
    for colour, trial in zip(PALETTE, top, strict=False):
        _add_curve(figure, trial, metric, colour, is_best=trial is top[0])
    _add_ends(figure, drawn, metric)
    half = math.ceil(len(drawn) / 2)
    bounds = limits(*([_values(trial, metric) for trial in part] for part in (drawn[:half], drawn[half:])))
    epochs = count_axis("epoch", max((max(trial.epochs) for trial in drawn), default=0), rangemode="tozero")
    figure.update_layout(xaxis=epochs, yaxis=axis(text(metric), range=bounds))
    for rung in material.rungs[:_MOST_RUNGS]:
        figure.add_vline(x=rung, line={"color": LINE, "width": 1, "dash": "dot"})
    return figure


def _values(trial: TrialHistory, metric: str) -> list[float]:
    return [epoch.metrics.get(metric, math.nan) for epoch in trial.epochs.values()]


def _points(trial: TrialHistory, metric: str) -> list[tuple[int, float | None]]:
    """Return the points of a curve: some of the epochs, and always the best and the last one."""
    points = [
        (number, value if math.isfinite(value) else None)
        for number, value in zip(trial.epochs, _values(trial, metric), strict=True)
    ]
    if len(points) <= _MOST_EPOCHS:
        return points
    finite = sorted((point for point in points if point[1] is not None), key=lambda point: point[1] or 0.0)
    return sorted({*evenly(points, _MOST_EPOCHS), *finite[:1], *finite[-1:]}, key=lambda point: point[0])


def _add_others(figure: go.Figure, trials: Sequence[TrialHistory], metric: str) -> None:
    """Add many curves as one line with gaps: a line of its own for each would be slow."""
    x: list[int | None] = []
    y: list[float | None] = []
    numbers: list[int | None] = []
    for trial in trials:
        points = _points(trial, metric)
        x += [*(epoch for epoch, _ in points), None]
        y += [*(value for _, value in points), None]
        numbers += [trial.trial] * (len(points) + 1)
    if x:
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name="other trials",
            connectgaps=False,
            line={"color": GREY, "width": 1},
            customdata=numbers,
            hovertemplate="trial %{customdata}, epoch %{x}: %{y:.4g}<extra></extra>",
        )


def _add_curve(figure: go.Figure, trial: TrialHistory, metric: str, colour: str, *, is_best: bool) -> None:
    points = _points(trial, metric)
    best = f"trial {trial.trial}"
    figure.add_scatter(
        x=[epoch for epoch, _ in points],
        y=[value for _, value in points],
        mode="lines" if len(points) > 1 else "markers",
        name=f"{best} (the best)" if is_best else best,
        line={"color": colour, "width": 3.5 if is_best else 2},
        customdata=[trial.trial] * len(points),
        text=[score(value) for _, value in points],
        hovertemplate=f"{best}, epoch %{{x}}: %{{text}}<extra></extra>",
    )


def _add_ends(figure: go.Figure, trials: Sequence[TrialHistory], metric: str) -> None:
    """Mark the last epoch of the trials that were ended before their time."""
    for name, symbol, statuses in (
        ("stopped", "circle", (Status.STOPPED,)),
        ("diverged or failed", "x", _BROKEN),
        ("interrupted", "square", (Status.INTERRUPTED,)),
    ):
        ends = [(trial, _points(trial, metric)) for trial in trials if trial.status in statuses]
        last = [
            (trial, *next(((epoch, value) for epoch, value in reversed(points) if value is not None), (0, None)))
            for trial, points in ends
        ]
        last = [point for point in last if point[2] is not None]
        if last:
            figure.add_scatter(
                x=[epoch for _, epoch, _ in last],
                y=[value for _, _, value in last],
                mode="markers",
                name=name,
                marker={"symbol": symbol, "size": 6, "color": STATUS_COLOURS[statuses[0]]},
                customdata=[trial.trial for trial, _, _ in last],
                text=[text(trial.reason or trial.status, 100) for trial, _, _ in last],
                hovertemplate="trial %{customdata}, epoch %{x}: %{text}<extra></extra>",
            )
