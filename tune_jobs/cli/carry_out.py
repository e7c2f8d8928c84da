"""Runs trials and prints what came of them: what `run` and `resume` have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from tune_jobs.cli import options
from tune_jobs.cli.failures import FAILED, INTERRUPTED
from tune_jobs.cli.screen import console_of, own_stdout


def carry_out(ctx: click.Context, begin: Callable[..., Any], top: int) -> None:
    """Calls ``begin(reporter=…)``, shows its progress, prints the leaderboard, and exits with its status."""
    from tune_jobs.views.choose import view_for
    from tune_jobs.views.outcome import print_outcome, was_interrupted

    with own_stdout() as stream:
        console = console_of(stream)
        view = view_for(console)
        try:
            finished = begin(reporter=view)
        finally:
            view.end()
        ranked = print_outcome(console, finished, top, options.default_storage())
    if was_interrupted(finished):
        ctx.exit(INTERRUPTED)
    if not ranked:
        ctx.exit(FAILED)
