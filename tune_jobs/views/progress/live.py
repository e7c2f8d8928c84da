"""The live view on a terminal: the state of the run, redrawn in place."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tune_jobs.results import Event, Status
from tune_jobs.views.progress.estimate import fraction_done, seconds_left
from tune_jobs.views.progress.progress import Progress, TrialProgress
from tune_jobs.views.summary import repeat_text, shown_folder, statuses_text
from tune_jobs.views.text import clean, config_text, cut, duration, error_text, note_text, score

if TYPE_CHECKING:
    from tune_jobs.engine.run_folder.reporter import Plan

REFRESHES_PER_S = 2
STYLES = {
    Status.RUNNING: "cyan",
    Status.PAUSED: "blue",
    Status.INTERRUPTED: "yellow",
    Status.COMPLETED: "green",
    Status.STOPPED: "dim",
    Status.DIVERGED: "red",
    Status.FAILED: "red",
    Status.OUT_OF_MEMORY: "red",
    Status.REFUSED: "dim",
}
_OTHER_LINES = 13
_CONFIG_LINES = 2
_LABEL = 12  # columns beside a fact, and what a line loses where words are kept whole
_WIDEST_METRIC = 24


class LiveView:
    """A reporter that keeps a picture of the run on the terminal, and removes it at the end.

    An event only replaces the frozen progress. A thread of rich draws it, at its own pace.

    Args:
        console: The terminal.
        clock: Returns the time, in unix seconds; None: the plan's clock.
    """

    def __init__(self, console: Console, clock: Callable[[], float] | None = None) -> None:
        self._console = console
        self._clock = clock or time.time
        self._has_own_clock = clock is not None
        self._progress: Progress | None = None
        self._live: Live | None = None

    def begin(self, plan: Plan) -> None:
        """Start drawing."""
        self._progress = Progress.of(plan)
        if not self._has_own_clock:
            self._clock = plan.clock
        self._live = Live(
            console=self._console,
            get_renderable=self._frame,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,  # they lead to the run's log by now
            redirect_stderr=False,
        )
        self._live.start(refresh=True)
        # A process that is killed could not show it again, and the shell would have none.
        self._console.show_cursor(True)

    def event(self, event: Event) -> None:
        """Take an event into the progress. The next picture shows it."""
        if self._progress is not None:
            self._progress = self._progress.after(event)

    def end(self) -> None:
        """Remove the picture. It may be called again."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _frame(self) -> RenderableType:
        if self._progress is None:
            return Text()
        size = self._console.size
        return frame(self._progress, self._clock(), size.width, size.height)


def frame(progress: Progress, now_s: float, width: int, height: int) -> RenderableType:
    """Return the picture of a run.

    Args:
        progress: The state of the run.
        now_s: The time, in unix seconds.
        width: Columns of the terminal.
        height: Lines of the terminal. As many trials are shown as fit.
    """
    return Group(
        _title(progress),
        _bar(progress, now_s, width),
        Text(),
        _facts(progress, width),
        Text(),
        _trials(progress, max(1, height - _OTHER_LINES - (progress.note is not None))),
        Text("Ctrl-C ends the run and keeps what is finished.", style="dim", no_wrap=True),
    )


def _title(progress: Progress) -> Text:
    storage = clean(shown_folder(progress.plan.folder.parent))
    title = Text(no_wrap=True, overflow="ellipsis")
    title.append(clean(progress.plan.name), style="bold")
    title.append(repeat_text(progress.plan))
    return title.append(f" in {storage}", style="dim")


def _bar(progress: Progress, now_s: float, width: int) -> RenderableType:
    if progress.started_s is None:
        return Text("starting Ray: a few seconds", style="yellow", no_wrap=True)
    used = duration(now_s - progress.started_s)
    left = seconds_left(progress, now_s)
    times = f"{used}, about {duration(left)} left" if left is not None else used
    if progress.reason is not None:
        times = f"{used}, Ray is ending"
    fraction = fraction_done(progress, now_s)
    if fraction is None:
        return Text(times, no_wrap=True)
    line = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=1.0, completed=fraction, width=max(10, min(60, width - 40)))
    line.add_row(bar, f"{fraction:4.0%}", Text(times, no_wrap=True))
    return line


def _facts(progress: Progress, width: int) -> Table:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("trials", _trials_fact(progress))
    facts.add_row("epochs", _epochs_fact(progress))
    facts.add_row("best", _best_fact(progress, width))
    if progress.note is not None:
        facts.add_row("note", Text(cut(note_text(progress.note), width - _LABEL), style="yellow"))
    return facts


def _trials_fact(progress: Progress) -> Text:
    total = progress.plan.trials
    done = f"{progress.ended_trials:,}" + (f" of {total:,}" if total else "")
    ended = statuses_text(progress.ended)
    paused = f", {len(progress.paused):,} paused" if progress.paused else ""
    return Text(f"{done} ended{f' ({ended})' if ended else ''}, {len(progress.running):,} running{paused}")


def _epochs_fact(progress: Progress) -> Text:
    plan = progress.plan
    if not progress.epochs:
        return Text("none yet: the workers import TensorFlow first", style="yellow")
    limit = f" of {plan.total_epochs:,}" if plan.total_epochs else ""
    return Text(f"{progress.epochs:,}{limit}, at most {plan.max_epochs:,} a trial")


def _best_fact(progress: Progress, width: int) -> Text:
    best, metric = progress.best, clean(progress.plan.metric)
    if best is None:
        return Text(f"no {metric} yet", style="dim")
    fact = Text(f"{metric} {score(best.value)}", style="bold green")
    fact.append(f"  trial {best.trial}, epoch {best.best_epoch}", style="not bold default")
    config = cut(config_text(best.config), _CONFIG_LINES * (width - _LABEL))
    return fact.append(f"\n{config}", style="not bold default")


def _trials(progress: Progress, lines: int) -> Table:
    """Return a table of the running trials, and below them as many of the last ended ones as fit."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", expand=True)
    for name, least in (("trial", 5), ("status", 11), ("epoch", 7), (_metric(progress), 6)):
        justify = "left" if name == "status" else "right"
        table.add_column(name, min_width=least, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("parameters", ratio=1, no_wrap=True, overflow="ellipsis")
    running = sorted(progress.running.values(), key=lambda trial: trial.trial)
    for trial in (*running, *progress.recent)[:lines]:
        table.add_row(*_row(trial, progress))
    hidden = len(running) - lines
    if hidden > 0:
        table.add_row("", Text(f"+ {hidden:,} more", style="dim"))
    return table


def _metric(progress: Progress) -> Text:
    metric = clean(progress.plan.metric)
    return Text(cut(metric, _WIDEST_METRIC))


def _row(trial: TrialProgress, progress: Progress) -> tuple[Text, ...]:
    style = STYLES[trial.status]
    running = trial.status is Status.RUNNING
    quiet = "" if running else "dim"
    epoch = f"{trial.epoch}/{progress.plan.max_epochs}" if running else str(trial.epoch or "-")
    leads = progress.best is not None and progress.best.trial == trial.trial
    about = error_text(trial.error) if trial.error else config_text(trial.config)
    return (
        Text(str(trial.trial), style=quiet),
        Text(trial.status, style=style),
        Text(epoch, style=quiet),
        Text(score(trial.value), style="bold green" if leads else quiet),
        Text(about, style="red" if trial.error and trial.status is not Status.REFUSED else quiet),
    )
