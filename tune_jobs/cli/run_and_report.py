"""The common part of ``run`` and ``resume``: run trials and print the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import click

from tune_jobs.cli import options
from tune_jobs.cli.exit_status import FAILED, INTERRUPTED, error_message
from tune_jobs.cli.screen import VERBOSE, console_of, own_stderr, own_stdout

if TYPE_CHECKING:
    from rich.console import Console

    from tune_jobs.engine import Plan, Reporter
    from tune_jobs.errors import RequestError
    from tune_jobs.loading.loader import Loaded
    from tune_jobs.results import Event


def carry_out(ctx: click.Context, loaded: Loaded, begin: Callable[..., Any], top: int) -> None:
    """Run trials, show their progress, print the leaderboard, and exit with the right status.

    Args:
        ctx: The context of the command.
        loaded: The experiment of the trials.
        begin: Runs the trials. It takes a ``reporter``, and returns the run.
        top: Number of rows of the leaderboard.
    """
    from tune_jobs.views.reports.run import print_outcome, was_interrupted

    with _carried_out(loaded, begin, top) as (console, run):
        ranked = print_outcome(console, run, top, options.default_storage())
    _exit(ctx, was_interrupted(run), ranked)


def carry_out_repeats(ctx: click.Context, loaded: Loaded, begin: Callable[..., Any]) -> None:
    """Run repeats, show their progress, print their table, and exit with the right status.

    Args:
        ctx: The context of the command.
        loaded: The experiment of the repeats.
        begin: Runs the repeats. It takes a ``reporter``, and returns their runs.
    """
    from tune_jobs.views.reports.repeats import print_repeats, were_interrupted

    with _carried_out(loaded, begin) as (console, runs):
        ranked = print_repeats(console, runs, options.default_storage())
    _exit(ctx, were_interrupted(runs), ranked)


@contextmanager
def _carried_out(loaded: Loaded, begin: Callable[..., Any], top: int = options.TOP) -> Iterator[tuple[Console, Any]]:
    """Yield the console and the result of ``begin``. Print the results of a run that failed before raising."""
    from tune_jobs.errors import RunFailed
    from tune_jobs.results.run import Run
    from tune_jobs.views.progress.choose import view_for
    from tune_jobs.views.reports.run import print_outcome

    with own_stdout() as stream, own_stderr() as errors:
        console = console_of(stream)
        view = view_for(console, redraw=not click.get_current_context().meta.get(VERBOSE, False))
        try:
            with loaded.in_its_folder():
                finished = begin(reporter=TellingView(view, errors))
        except RunFailed as failed:
            view.end()
            run = Run(failed.folder) if failed.folder else None
            if run is not None and run.history().trials:
                print_outcome(console, run, top, options.default_storage())
            raise
        finally:
            view.end()
        yield console, finished


class TellingView:
    """A view that also tells the mistake for which a run is being undone, on the standard error of the command.

    Args:
        view: The view.
        errors: The standard error.
    """

    def __init__(self, view: Reporter, errors: TextIO) -> None:
        self._view = view
        self._errors = errors

    def begin(self, plan: Plan) -> None:
        """Show the plan."""
        self._view.begin(plan)

    def event(self, event: Event) -> None:
        """Show an event."""
        self._view.event(event)

    def end(self) -> None:
        """Finish."""
        self._view.end()

    def mistake(self, error: RequestError) -> None:
        """Show a mistake, below what the view has shown."""
        self._view.end()
        print(error_message(error.problems), file=self._errors, flush=True)
        error.is_told = True


def _exit(ctx: click.Context, interrupted: bool, ranked: bool) -> None:
    if interrupted:
        ctx.exit(INTERRUPTED)
    if not ranked:
        ctx.exit(FAILED)
