"""The options of a run. ``tune-jobs run`` takes them on this machine, ``tune-jobs submit`` sends them to a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tune_jobs.cli import options

# The names of tune_jobs.searchers.SEARCHERS and tune_jobs.schedulers.SCHEDULERS. Importing them would make --help slow.
SEARCHER_NAMES = ("hyperopt", "foresight", "bayesian", "random", "grid", "sweep", "optuna")
SCHEDULER_NAMES = ("asha", "asha-promotion", "hyperband", "median", "population", "steps", "none")
AUTO = "auto"
OOM_ANSWERS = ("fail", "grow")


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--name", help="The run's name.  [default: the experiment's name and the time]"),
    click.option(
        "--searcher", type=click.Choice((AUTO, *SEARCHER_NAMES)), help="The searcher, which proposes configurations."
    ),
    click.option("--scheduler", type=click.Choice(SCHEDULER_NAMES), help="The scheduler, which stops trials early."),
    click.option("--trials", type=int, help="Configurations to try at most."),
    click.option("--max-epochs", type=int, help="Epochs of a trial at most."),
    click.option("--total-epochs", type=int, help="Epochs of all trials together at most."),
    click.option("--time-budget-s", type=float, help="Seconds after which the run ends."),
    click.option("--executions", type=int, help="Times that each configuration is trained. The mean counts."),
    click.option("--fraction", type=float, help="Part of the training and validation examples to use, in (0, 1]."),
    click.option("--max-concurrent", "max_concurrent_trials", type=int, help="Trials that may run at the same time."),
    options.together,
    options.cpus,
    options.gpus,
    options.memory_bytes,
    click.option(
        "--on-oom",
        type=click.Choice(OOM_ANSWERS),
        help="A trial that runs out of its share of a GPU fails, or gets a larger share.",
    ),
    click.option("--seed", type=int, help="Seed of everything random."),
    click.option(
        "--warm-start",
        multiple=True,
        metavar="RUN|PATH|URL",
        help="Results to learn from first: a run, a CSV file, a folder of KerasTuner, or a storage of Optuna "
        "(sqlite:///FILE#STUDY); can be repeated.",
    ),
    options.max_retries,
    options.same_failures,
    options.trial_timeout_s,
    click.option(
        "--keep", type=options.KEEP, metavar="all|N|none", help="Trials that keep their weights: all, the best N, none."
    ),
    click.option(
        "--repeats", type=int, help="Number of runs, each with another seed, to show how much is luck: 2 to 1000."
    ),
    options.top,
)

_Command = TypeVar("_Command", bound=Callable[..., Any])


def run_options(command: _Command) -> _Command:
    """Add the options of a run to a command.

    Args:
        command: The function of the command.
    """
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
