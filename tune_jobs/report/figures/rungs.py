"""The figure of the rungs: how many trials each one saw, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tune_jobs.errors import RequestError
from tune_jobs.report.figures.style import STATUS_COLOURS, axis, count_axis, new_figure
from tune_jobs.report.material import Material
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.journal.events import Status

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_RUNGS = 30
_UNFINISHED = (Status.RUNNING, Status.PAUSED, Status.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class RungCount:
    """The number of trials that reached a rung, and their fates.

    Attributes:
        epoch: The epoch of the rung; for the last one, the number of epochs that a trial can have.
        seen: The trials that reached it.
        stopped: Those that the scheduler stopped there, or before the next rung.
        ended: Those that ended there, or before the next rung, in another way.
        active: Those that are still there: running, paused, or interrupted.
    """

    epoch: int
    seen: int
    stopped: int
    ended: int
    active: int

    @property
    def continued(self) -> int:
        """The trials that went on to the next rung, or to the end."""
        return self.seen - self.stopped - self.ended - self.active


def count_rungs(trials: Sequence[TrialHistory], rungs: Sequence[int], max_epochs: int) -> list[RungCount]:
    """Return what became of the trials at each rung.

    Args:
        trials: The trials.
        rungs: The epochs of the rungs, ascending.
        max_epochs: The number of epochs of a trial at most. The trials that reached it are the last count.
    """
    levels = [*(rung for rung in rungs if rung < max_epochs), max_epochs]
    counts = []
    for index, level in enumerate(levels):
        end = levels[index + 1] if index + 1 < len(levels) else max_epochs + 1
        seen = [trial for trial in trials if max(trial.epochs, default=0) >= level]
        here = [trial for trial in seen if max(trial.epochs) < end]
        is_last = level == max_epochs
        stopped = sum(trial.status is Status.STOPPED for trial in here)
        active = 0 if is_last else sum(trial.status in _UNFINISHED for trial in here)
        ended = 0 if is_last else len(here) - stopped - active
        counts.append(RungCount(level, len(seen), stopped, ended, active))
    return counts


def draw_rungs(material: Material) -> go.Figure:
    """Return the figure of the rungs.

    Args:
        material: The material of the run.

    Raises:
        RequestError: The scheduler has no rungs, or no epoch has ended yet.
    """
    counts = count_rungs(list(material.history.trials.values()), material.rungs, material.max_epochs)
    if not material.rungs:
        raise RequestError(f"The scheduler of the run {material.run.name} compares trials at no rung.")
    if not counts[0].seen:
        raise RequestError(f"No trial of the run {material.run.name} has reached the first rung yet.")
    note = ""
    if len(counts) > _MOST_RUNGS:
        note = f"drawn: {_MOST_RUNGS} of {len(counts)} rungs"
        counts = [counts[round(index * (len(counts) - 1) / (_MOST_RUNGS - 1))] for index in range(_MOST_RUNGS)]
    figure = new_figure("Trials at each rung", note, height=400)
    last = counts[-1]
    names = [f"{count.epoch} (all)" if count is last else str(count.epoch) for count in counts]
    for name, colour, numbers in (
        ("went on, or trained to the end", STATUS_COLOURS[Status.COMPLETED], [count.continued for count in counts]),
        ("still there", STATUS_COLOURS[Status.RUNNING], [count.active for count in counts]),
        ("stopped", STATUS_COLOURS[Status.STOPPED], [count.stopped for count in counts]),
        ("ended otherwise", STATUS_COLOURS[Status.FAILED], [count.ended for count in counts]),
    ):
        if any(numbers):
            figure.add_bar(
                name=name,
                x=names,
                y=numbers,
                marker={"color": colour},
                cliponaxis=False,
                text=[f"{number:,}" if number else "" for number in numbers],
                hovertemplate="after epoch %{x}: %{y:,} " + name + "<extra></extra>",
            )
    trials = count_axis("trials", max(count.seen for count in counts))
    return figure.update_layout(barmode="stack", xaxis=axis("epochs", type="category"), yaxis=trials)
