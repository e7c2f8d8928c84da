"""The command that resumes a run."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from tune_jobs.cli import options
from tune_jobs.cli.hand_over import hand_over
from tune_jobs.cli.reload_experiment import reload_experiment
from tune_jobs.cli.run_and_report import carry_out, carry_out_repeats
from tune_jobs.cli.tool_options import callbacks_of, tool_options


@click.command()
@click.argument("run")
@options.storage
@options.experiment
@options.trust_code
@click.option("--trials", type=int, help="Configurations to try at most, the earlier ones included.")
@click.option("--total-epochs", type=int, help="Epochs of all trials together at most, the earlier ones included.")
@click.option("--time-budget-s", type=float, help="Seconds from now after which the run ends.")
@options.together
@options.max_retries
@options.same_failures
@options.trial_timeout_s
@options.force
@options.top
@tool_options
@click.option(
    "--no-tools",
    is_flag=True,
    help="Leave out the tools that the run was given before; otherwise they go on.",
)
@options.address
@options.diagnostics
@click.pass_context
def resume(
    ctx: click.Context,
    /,
    run: str,
    storage: Path | str,
    experiment: str | None,
    trust_code: bool,
    force: bool,
    top: int,
    tensorboard: str | None,
    mlflow: str | None,
    wandb: str | None,
    no_tools: bool,
    address: str | None,
    **budgets: Any,
) -> None:
    """Resume RUN, or a group of repeats: after a crash or Ctrl-C, or to train more trials of a finished run.

    Finished trials are not run again. Unfinished trials continue from their newest checkpoint. The experiment is loaded
    from where it was when the run began, unless --experiment says otherwise. If you did not begin the run on this
    machine, the command asks before it runs that file.
    """
    options.join_at(address)
    hand_over(ctx)
    from tune_jobs.results.find import find_repeats, find_run

    callbacks = callbacks_of(tensorboard, mlflow, wandb)
    repeats = find_repeats(run, storage)
    found_run = repeats[0] if repeats else find_run(run, storage)
    from tune_jobs.host.worker_source import workers_imported_early

    ctx.with_resource(workers_imported_early())
    from tune_jobs import engine  # this import takes seconds: do it only when there is a run to resume

    call = f"{'resume_repeats(runs' if repeats else 'resume(folder'}, EXPERIMENT)"
    loaded = reload_experiment(repeats or [found_run], call, experiment, trust_code=trust_code, force=force, **budgets)
    more: dict[str, Any] = {"force": force, **({"callbacks": callbacks} if callbacks else {})}
    more |= {"tools": False} if no_tools else {}
    if repeats:
        resumed = partial(engine.resume_repeats, repeats, loaded.experiment, reference=loaded.reference)
        carry_out_repeats(ctx, loaded, partial(resumed, **more, **budgets))
    else:
        carry_out(ctx, loaded, partial(engine.resume, found_run.location, loaded.experiment, **more), top)
