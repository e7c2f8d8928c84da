"""The command that runs an experiment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from tune_jobs.cli import options
from tune_jobs.cli.carry_out import carry_out, carry_out_repeats

# Names of tune_jobs.searchers.SEARCHERS and tune_jobs.schedulers.SCHEDULERS, whose import would cost --help its speed.
SEARCHER_NAMES = ("hyperopt", "bayesian", "random", "grid", "sweep")
SCHEDULER_NAMES = ("asha", "none")


@click.command()
@click.argument("experiment")
@options.storage
@click.option("--name", help="The run's name.  [default: the experiment's and the time]")
@click.option("--searcher", type=click.Choice(SEARCHER_NAMES), help="What to try.")
@click.option("--scheduler", type=click.Choice(SCHEDULER_NAMES), help="When to stop a trial early.")
@click.option("--trials", type=int, help="Configurations to try at most.")
@click.option("--max-epochs", type=int, help="Epochs of a trial at most.")
@click.option("--total-epochs", type=int, help="Epochs of all trials together at most.")
@click.option("--time-budget-s", type=float, help="Seconds after which the run ends.")
@click.option("--executions", type=int, help="Times that each configuration is trained; it is judged by the mean.")
@click.option("--fraction", type=float, help="Part of the training and validation examples to use, in (0, 1].")
@click.option("--max-concurrent", "max_concurrent_trials", type=int, help="Trials side by side at most.")
@click.option("--cpus", type=float, help="CPUs of a trial.")
@click.option("--gpus", type=float, help="GPUs of a trial: a fraction, or whole ones.")
@click.option("--seed", type=int, help="Seed of everything random.")
@click.option("--warm-start", multiple=True, metavar="RUN", help="A run to learn from first; can be repeated.")
@options.max_retries
@options.same_failures
@options.trial_timeout_s
@click.option("--keep", type=options.KEEP, metavar="all|N|none", help="Whose weights are kept: all, the best N, none.")
@click.option("--repeats", type=int, help="Runs to do, each with another seed, to tell what is luck: 2 to 1000.")
@options.top
@options.debug
@click.pass_context
def run(
    ctx: click.Context,
    /,
    experiment: str,
    storage: Path,
    name: str | None,
    repeats: int | None,
    top: int,
    searcher: str | None,
    scheduler: str | None,
    cpus: float | None,
    gpus: float | None,
    warm_start: Sequence[str],
    **fields: Any,
) -> None:
    """Run EXPERIMENT on this machine and print its leaderboard.

    Options replace what the experiment declares; naming the searcher or the scheduler that it has already keeps its
    settings. Ctrl-C ends the run in good order, a second one at once.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before the experiment imports TensorFlow
    from tune_jobs import engine
    from tune_jobs.errors import RequestError
    from tune_jobs.loader import load
    from tune_jobs.overrides import Overrides
    from tune_jobs.results.run import find_run

    changes = Overrides(searcher, scheduler, cpus, gpus, fields)
    problems = engine.request_problems if repeats is None else partial(engine.repeats_problems, repeats=repeats)
    loaded = load(experiment, changes.apply, partial(problems, storage=storage, name=name))
    names: dict[str, Any] = {"name": name, "experiment_name": loaded.name, "reference": loaded.reference}
    if repeats is None:
        earlier = [find_run(run, storage) for run in warm_start]
        carry_out(ctx, partial(engine.run, loaded.experiment, storage=storage, warm_start=earlier, **names), top)
    elif warm_start:
        raise RequestError("--repeats tells what is luck, which --warm-start takes away: leave one of them out.")
    else:
        carry_out_repeats(ctx, partial(engine.run_repeats, loaded.experiment, repeats, storage=storage, **names))
