"""The view for an output that is no terminal: one plain line a trial, for logs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from tune_jobs.base.objective import direction
from tune_jobs.base.words import quantity
from tune_jobs.results import Event, Noted, RunStarted, Status, TrialEnded, TrialPaused
from tune_jobs.views.progress.progress import Progress, TrialProgress
from tune_jobs.views.summary import plan_text, repeat_text, shown_folder, statuses_text
from tune_jobs.views.text import clean, config_text, duration, error_text, note_text, score

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.reporter import Plan


class PlainView:
    """A reporter that writes a line when a trial ends or is paused.

    Args:
        stream: The output. It is flushed after every line.
        clock: Returns the time, in unix seconds; None: the plan's clock.
    """

    def __init__(self, stream: IO[str], clock: Callable[[], float] | None = None) -> None:
        self._stream = stream
        self._clock = clock or time.time
        self._has_own_clock = clock is not None
        self._progress: Progress | None = None

    def begin(self, plan: Plan) -> None:
        """Write the name and the plan of the run."""
        self._progress = Progress.of(plan)
        if not self._has_own_clock:
            self._clock = plan.clock
        self._write(f"run {clean(plan.name)}{repeat_text(plan)} in {clean(shown_folder(plan.folder))}")
        self._write(f"{clean(plan.metric)} ({direction(plan.mode)}): {plan_text(plan)}")

    def event(self, event: Event) -> None:
        """Write a line about the start, about a trial that ended or was paused, or about a note."""
        if self._progress is None:
            return
        paused = self._progress.paused
        self._progress = self._progress.after(event)
        if isinstance(event, RunStarted):
            self._write(_start_line(event))
        elif isinstance(event, Noted):
            self._write(f"note: {note_text(event)}")
        elif isinstance(event, TrialPaused):
            self._write(trial_line(self._progress.paused[event.trial], self._progress))
        elif isinstance(event, TrialEnded) and event.trial not in paused:  # that a pause is final is no news
            self._write(trial_line(self._progress.recent[0], self._progress))

    def end(self) -> None:
        """Write the last line."""
        if self._progress is not None:
            self._write(last_line(self._progress, self._clock()))
            self._progress = None

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def trial_line(trial: TrialProgress, progress: Progress) -> str:
    """Return the result of a trial that ended or was paused, beside the best so far."""
    epoch = f" at epoch {trial.epoch}" if trial.epoch else ""
    parts = [_outcome(trial, progress)] if trial.value is not None else []
    if trial.status is Status.COMPLETED and trial.value is None:
        kept = " that keeps the constraints" if progress.plan.constraints else ""
        parts.append(f"no finite {clean(progress.plan.metric)}{kept}")
    if trial.status in (Status.FAILED, Status.OUT_OF_MEMORY, Status.REFUSED) and trial.error:
        parts.append(error_text(trial.error.removeprefix(f"{Status.REFUSED}: ")))
    parts.append(config_text(trial.config))
    return f"trial {trial.trial} {trial.status}{epoch}: {', '.join(part for part in parts if part)}"


def _outcome(trial: TrialProgress, progress: Progress) -> str:
    best = progress.best
    if best is None or best.trial == trial.trial:
        beside = "the best so far"
    else:
        beside = f"best {score(best.value)}, trial {best.trial}"
    return f"{clean(progress.plan.metric)} {score(trial.value)} ({beside})"


def last_line(progress: Progress, now_s: float) -> str:
    """Return the totals of a run that is over."""
    took = f" after {duration(now_s - progress.started_s)}" if progress.started_s is not None else ""
    statuses = statuses_text(progress.ended)
    trials = f"{quantity(progress.ended_trials, 'trial')}{f' ({statuses})' if statuses else ''}"
    return f"ended{took}: {trials}, {quantity(progress.epochs, 'epoch')}"


def _start_line(event: RunStarted) -> str:
    gpus = f", {event.gpus:g} GPUs" if event.gpus else ""
    resources = f"{event.cpus:g} {'CPU' if event.cpus == 1 else 'CPUs'}{gpus}"
    started = "Ray has started" if event.nodes is None else f"joined a cluster of {quantity(event.nodes, 'node')}"
    return f"{started}: {resources}"
