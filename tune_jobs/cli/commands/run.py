"""The command that runs an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from tune_jobs.cli import options
from tune_jobs.cli.hand_over import hand_over
from tune_jobs.cli.reload_experiment import anchor
from tune_jobs.cli.run_and_report import carry_out, carry_out_repeats
from tune_jobs.cli.run_options import run_options
from tune_jobs.cli.tool_options import callbacks_of, tool_options

# The answers of tune_jobs.engine.run_folder.names.CHOICES. Importing them would make --help slow.
IF_EXISTS = ("refuse", "resume", "overwrite", "new")


@click.command()
@click.argument("experiment")
@options.storage
@run_options
@click.option(
    "--if-exists",
    type=click.Choice(IF_EXISTS),
    default="refuse",
    help="What happens if a run of that name exists: refuse this one, go on with that one, replace it, or find this "
    "one a new name.  [default: refuse]",
)
@tool_options
@options.address
@options.diagnostics
@click.pass_context
def run(
    ctx: click.Context,
    /,
    experiment: str,
    storage: Path | str,
    name: str | None,
    repeats: int | None,
    top: int,
    searcher: str | None,
    scheduler: str | None,
    cpus: float | None,
    gpus: Any,
    memory_bytes: int | None,
    warm_start: Sequence[str],
    if_exists: Any,
    tensorboard: str | None,
    mlflow: str | None,
    wandb: str | None,
    address: str | None,
    **fields: Any,
) -> None:
    """Run EXPERIMENT, on this machine or on a Ray cluster that it belongs to, and print its leaderboard.

    Options replace what the experiment declares. A searcher or scheduler that the experiment has already keeps its
    settings. Ctrl-C ends the run in good order, a second Ctrl-C ends it at once.
    """
    options.join_at(address)
    hand_over(ctx)
    from tune_jobs.loading.loader import check_reference, load

    check_reference(experiment)  # what takes a second to import is not needed to tell this
    from tune_jobs.host.worker_source import workers_imported_early

    ctx.with_resource(workers_imported_early())
    from tune_jobs import engine
    from tune_jobs.engine.earlier_results.named import find_sources, source_problems
    from tune_jobs.errors import RequestError
    from tune_jobs.experiment.experiment import Experiment
    from tune_jobs.experiment.overrides import Overrides
    from tune_jobs.results.run import Run

    callbacks = callbacks_of(tensorboard, mlflow, wandb)
    changes = Overrides(searcher, scheduler, cpus, gpus, memory_bytes, fields)
    problems = engine.request_problems if repeats is None else partial(engine.repeats_problems, repeats=repeats)

    def check(declared: Experiment) -> list[str]:
        found = problems(declared, storage=storage, name=name, if_exists=if_exists)
        return [*found, *source_problems(declared, () if repeats or if_exists == "resume" else warm_start, storage)]

    loaded = load(experiment, changes.apply, check)
    names: dict[str, Any] = {"name": name, "experiment_name": loaded.name, "reference": loaded.reference}
    names |= {"if_exists": if_exists, "storage": loaded.anchored(storage)}
    names |= {"callbacks": callbacks} if callbacks else {}
    if repeats is None:
        earlier = find_sources(warm_start, storage)
        anchor([one for one in earlier if isinstance(one, Run)], loaded)
        carry_out(ctx, loaded, partial(engine.run, loaded.experiment, **names, warm_start=earlier), top)
    elif warm_start:
        raise RequestError("--repeats tells what is luck, which --warm-start takes away: leave one of them out.")
    else:
        carry_out_repeats(ctx, loaded, partial(engine.run_repeats, loaded.experiment, repeats, **names))
