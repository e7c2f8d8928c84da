"""The view in a notebook: the state of the run below its cell, kept up to date in place."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tune_jobs.results import Event
from tune_jobs.views.progress.estimate import fraction_done, seconds_left
from tune_jobs.views.progress.progress import Progress, TrialProgress
from tune_jobs.views.summary import repeat_text, statuses_text
from tune_jobs.views.text import clean, config_text, cut, duration, error_text, note_text, score

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.reporter import Plan

_EVERY_S = 0.5
_ROWS = 8
_WIDEST_CONFIG = 110


class NotebookView:
    """A reporter that shows the run in a notebook.

    Args:
        show: Shows HTML, and returns a function that replaces it; None: IPython's own.
        clock: Returns the time, in seconds, by which updates are kept apart.
    """

    def __init__(
        self,
        show: Callable[[str], Callable[[str], object]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._show = show or _show
        self._clock = clock
        self._progress: Progress | None = None
        self._shown_s = 0.0

    def begin(self, plan: Plan) -> None:
        """Show the plan."""
        self._progress = Progress.of(plan)
        self._update = self._show(progress_html(self._progress, plan.clock()))

    def event(self, event: Event) -> None:
        """Take an event into the progress; show it if the last picture is half a second old."""
        if self._progress is None:
            return
        self._progress = self._progress.after(event)
        if self._clock() - self._shown_s >= _EVERY_S:
            self._draw()

    def end(self) -> None:
        """Show the last state."""
        if self._progress is not None:
            self._draw()
            self._progress = None

    def _draw(self) -> None:
        if self._progress is not None:
            self._shown_s = self._clock()
            self._update(progress_html(self._progress, self._progress.plan.clock()))


def is_notebook() -> bool:
    """Return whether this process is the kernel of a notebook. Nothing is imported to know it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell is not None and hasattr(shell, "kernel")


def progress_html(progress: Progress, now_s: float) -> str:
    """Return the state of a run as HTML. Everything in it that comes from the run is escaped.

    Args:
        progress: The state of the run.
        now_s: The time, in unix seconds.
    """
    plan, best = progress.plan, progress.best
    share = fraction_done(progress, now_s)
    used = "" if progress.started_s is None else duration(now_s - progress.started_s)
    left = seconds_left(progress, now_s)
    times = f"{used}, about {duration(left)} left" if left is not None and progress.reason is None else used
    bar = "" if share is None else f"<progress value='{share:.4f}' max='1' style='width:20em'></progress> {share:.0%} "
    trials = statuses_text(progress.ended)
    counts = f"{progress.ended_trials:,} trials ended{f' ({trials})' if trials else ''}, {progress.epochs:,} epochs"
    lines = [
        f"<strong>{_escaped(plan.name)}{_escaped(repeat_text(plan))}</strong>",
        f"{bar}{_escaped(times or 'starting Ray')}",
        _escaped(counts),
        _escaped(_best(best, plan.metric) if best else ""),
    ]
    note = "" if progress.note is None else f"<p>{_escaped(note_text(progress.note))}</p>"
    running = sorted(progress.running.values(), key=lambda trial: trial.trial)
    rows = "".join(_row(trial) for trial in (*running, *progress.recent)[:_ROWS])
    head = "<tr><th>trial</th><th>status</th><th>epoch</th><th>best</th><th>configuration</th></tr>"
    table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""
    return f"<div><p>{'<br>'.join(filter(None, lines))}</p>{note}{table}</div>"


def _best(best: TrialProgress, metric: str) -> str:
    return f"{clean(metric)} {score(best.value)}: trial {best.trial}, {config_text(best.config)}"


def _row(trial: TrialProgress) -> str:
    about = error_text(trial.error) if trial.error else cut(config_text(trial.config), _WIDEST_CONFIG)
    cells = (trial.trial, trial.status.value, trial.epoch or "-", score(trial.value), about)
    return f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in cells)}</tr>"


def _escaped(value: object) -> str:
    return html.escape(clean(value))


def _show(text: str) -> Callable[[str], object]:
    from IPython.display import HTML, display  # the kernel has imported it

    handle: Any = display(HTML(text), display_id=True)
    return lambda newer: handle.update(HTML(newer))
