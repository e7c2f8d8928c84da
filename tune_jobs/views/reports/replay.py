"""The report of a replay: what each choice would have reached, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.text import Text

from tune_jobs.base.words import quantity
from tune_jobs.errors import RequestError
from tune_jobs.replay.what_if import (
    CHANGING,
    PARTS,
    Choice,
    Expectation,
    choice_of,
    expectation,
    fitted_world,
    recorded_epochs,
    recorded_kind,
)
from tune_jobs.results.ranking import ranking
from tune_jobs.schedulers import SCHEDULERS
from tune_jobs.searchers import SEARCHERS
from tune_jobs.views.summary import best_text
from tune_jobs.views.tables.printing import new_table, print_line, print_table
from tune_jobs.views.text import clean

if TYPE_CHECKING:
    from tune_jobs.results.run import Run


def print_replay(
    console: Console,
    run: Run,
    searchers: Sequence[str],
    schedulers: Sequence[str],
    *,
    epochs: int | None,
    workers: int | None,
    seeds: int,
) -> None:
    """Replay a run with its own and with other choices, and print what each would have reached.

    Args:
        console: The output.
        run: The run.
        searchers: The names of other searchers.
        schedulers: The names of other schedulers.
        epochs: The number of epochs of all trials together; None: as many as the run trained.
        workers: The number of trials side by side; None: as many as in the run.
        seeds: The number of replays of each choice.

    Raises:
        RequestError: The run has too few trials, or a choice cannot search its space.
    """
    history, objective, record = run.history(), run.objective, run.experiment
    choices = _choices(run, searchers, schedulers)
    max_epochs = recorded_epochs(record)
    world = fitted_world(run.name, run.space, objective, max_epochs, history)
    trained = sum(len(trial.epochs) for trial in history.trials.values())
    start = history.latest_start
    side_by_side = workers or (start.max_concurrent_trials if start else 1)
    best = best_text(ranking(history, objective)[0], objective.metric)
    totals = f"{quantity(len(history.trials), 'trial')}, {quantity(trained, 'epoch')}"
    print_line(console, Text.assemble((f"{clean(run.name)}: ", "bold"), f"{totals}, best: {best}"))
    print_line(console, Text.assemble(("trust: ", "bold"), str(world.trust)))
    if len(history.trials) > world.trial_count:
        print_line(console, f"The model is fitted to {world.trial_count:,} of the trials, the best among them.")
    console.print()
    table = new_table()
    for title in (
        "choice",
        *(f"after {round(part * (epochs or trained)):,} epochs" for part in PARTS),
        "trials",
        "time",
    ):
        table.add_column(title)
    for choice in choices:
        expected = expectation(
            world, choice, objective, epochs=epochs or trained, workers=side_by_side, seeds=range(seeds)
        )
        table.add_row(*_row(expected))
    print_table(console, table)
    console.print()
    print_line(
        console,
        f"Mean of {seeds} replays and its standard error; {quantity(side_by_side, 'trial')} side by side. Nothing "
        "better than the run's best can come out, so compare how soon a choice comes near it.",
    )


def _choices(run: Run, searchers: Sequence[str], schedulers: Sequence[str]) -> list[Choice]:
    # Without the run's own searcher or scheduler if that cannot be replayed, and another is named.
    own_searcher, own_scheduler = (recorded_kind(run.experiment, part) for part in ("searcher", "scheduler"))
    is_searcher_known = own_searcher in SEARCHERS
    is_scheduler_known = own_scheduler in SCHEDULERS and own_scheduler not in CHANGING
    named = product(
        [None, *searchers] if is_searcher_known or not searchers else searchers,
        [None, *schedulers] if is_scheduler_known or not schedulers else schedulers,
    )
    choices = list({(one := choice_of(run.experiment, *names)).name: one for names in named}.values())
    problems = [
        problem
        for choice in choices
        for problem in (
            *choice.searcher.space_problems(run.space),
            *choice.scheduler.epoch_problems(recorded_epochs(run.experiment)),
        )
    ]
    if problems:
        raise RequestError("\n".join(problems))
    return choices


def _row(expected: Expectation) -> list[str]:
    means, errors = expected.best.mean(0), expected.best.std(0, ddof=1) / np.sqrt(len(expected.best))
    cells = [f"{mean:.4f} ± {error:.4f}" for mean, error in zip(means, errors, strict=True)]
    return [expected.choice.name, *cells, f"{expected.trials:.0f}", f"{expected.seconds:.0f} s"]
