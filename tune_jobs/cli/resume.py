"""The command that goes on with a run."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from tune_jobs.cli import options
from tune_jobs.cli.carry_out import carry_out


@click.command()
@click.argument("run")
@options.storage
@click.option("--trials", type=int, help="Configurations to try at most, the earlier ones included.")
@click.option("--total-epochs", type=int, help="Epochs of all trials together at most, the earlier ones included.")
@click.option("--time-budget-s", type=float, help="Seconds from now after which the run ends.")
@options.max_retries
@options.same_failures
@options.trial_timeout_s
@click.option("--force", is_flag=True, help="Go on although the space or the code has changed.")
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Rows to print at the end.")
@options.debug
@click.pass_context
def resume(ctx: click.Context, /, run: str, storage: Path, force: bool, top: int, **budgets: Any) -> None:
    """Go on with RUN: after a crash or Ctrl-C, or to do more of a finished one.

    Finished trials are not run again; unfinished ones continue from their newest checkpoint. The experiment is loaded
    from where it was when the run began.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before the experiment imports TensorFlow
    from tune_jobs import engine
    from tune_jobs.errors import RequestError
    from tune_jobs.loader import load
    from tune_jobs.results.run import find_run

    found = find_run(run, storage)
    reference = found.experiment.get("reference")
    if not isinstance(reference, str):
        raise RequestError(
            f"The run {found.name} was begun from Python, so the command line knows no file to load its experiment "
            "from: call tune_jobs.resume(folder, EXPERIMENT)."
        )
    loaded = load(reference, partial(engine.restated, asked=found.experiment, **budgets))
    carry_out(ctx, partial(engine.resume, found.folder, loaded.experiment, force=force), top)
