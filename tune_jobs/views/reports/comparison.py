"""A comparison as text: a column a strategy, and the verdict about their difference."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from tune_jobs.analysis.comparison.comparison import part_name
from tune_jobs.analysis.comparison.outcomes import Outcome, Strategy
from tune_jobs.analysis.comparison.statistics import Spread, spread
from tune_jobs.results.evaluations import on_test_set
from tune_jobs.views.reports.verdicts import verdict_lines
from tune_jobs.views.summary import reference
from tune_jobs.views.tables.printing import new_table, print_next, print_table
from tune_jobs.views.text import clean, cut, duration, number, score, value_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from tune_jobs.analysis.comparison import Comparison

_WIDEST_VALUE = 40
_MOST_PARAMETERS = 200  # a table of more is read by no one, and takes seconds
NOT_EVALUATED = "not evaluated"


def print_comparison(console: Console, comparison: Comparison, storage: Path | str) -> None:
    """Print a comparison. On a terminal it fits the width, elsewhere it takes the width that it needs.

    Args:
        console: The output.
        comparison: The strategies.
        storage: The storage that commands look into by default.
    """
    print_table(console, _table(comparison))
    console.print()
    for line in notes(comparison):
        _print_sentence(console, Text(line, style="dim"))
    for line in comparison.cautions:
        _print_sentence(console, Text(clean(line), style="yellow"))
    for line in verdict_lines(comparison):
        _print_sentence(console, Text(line, style="bold"))
    print_next(console, _next_commands(comparison, storage))


def notes(comparison: Comparison) -> list[str]:
    """Return sentences about how to read the table."""
    metric = clean(comparison.objective.metric)
    sentences = [f"{metric} {score(comparison.target)} is the best of the worst run. Elapsed leaves interruptions out."]
    if comparison.is_repeated:
        sentences.append("Of repeats: median [quartiles]. The best configuration is that of the best repeat.")
    return sentences


def _next_commands(comparison: Comparison, storage: Path | str) -> list[str]:
    without = [strategy for strategy in comparison.strategies if strategy.tests is None]
    folders = [strategy.outcomes[0].run.folder.with_name(Path(strategy.name).name) for strategy in without]
    return [f"tune-jobs evaluate {reference(folder, storage)}" for folder in folders]


def spread_text(values: Spread, write: Callable[[float], str]) -> str:
    """Return a median with its quartiles, "0.9722 [0.9694, 0.9750]", or the median alone if they are equal."""
    low, median, high = map(write, values)
    return median if low == median == high else f"{median} [{low}, {high}]"


def _table(comparison: Comparison) -> Table:
    table = new_table()
    table.add_column("", no_wrap=True)
    for strategy in comparison.strategies:
        table.add_column(Text(clean(strategy.name)), overflow="fold")
    for label, cells in comparison_rows(comparison):
        table.add_row(*map(Text, (label, *cells)))
    return table


def comparison_rows(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Return the table's rows: the text of each strategy, by the name of the row."""
    strategies, target = comparison.strategies, comparison.target
    metric, reached = clean(comparison.objective.metric), score(target)

    def row(label: str, write: Callable[[Strategy], str]) -> tuple[str, list[str]]:
        return label, [write(strategy) for strategy in strategies]

    def spread_row(
        label: str, value: Callable[[Outcome], float], write: Callable[[float], str] = number
    ) -> tuple[str, list[str]]:
        return row(label, lambda strategy: spread_text(strategy.spread(value), write))

    return [
        row("searcher", lambda strategy: clean(part_name(strategy.outcomes[0].run, "searcher"))),
        row("scheduler", lambda strategy: clean(part_name(strategy.outcomes[0].run, "scheduler"))),
        *([row("repeats", lambda strategy: str(len(strategy.outcomes)))] if comparison.is_repeated else []),
        spread_row(f"best {metric}", lambda outcome: outcome.best, score),
        row(f"its {clean(on_test_set(comparison.objective.metric))}", _test_text),
        ("best configuration", ["" for _ in strategies]),
        *(row(name, write) for name, write in _configurations(strategies)),
        row("found by", lambda strategy: _origin(strategy)),
        spread_row("trials", lambda outcome: len(outcome.history.trials)),
        spread_row("epochs", lambda outcome: outcome.trajectory.epochs),
        spread_row("elapsed", lambda outcome: outcome.trajectory.seconds, duration),
        spread_row(f"epochs to {reached}", lambda outcome: outcome.reached(target).epochs),
        spread_row(f"time to {reached}", lambda outcome: outcome.reached(target).seconds, duration),
    ]


def _test_text(strategy: Strategy) -> str:
    if strategy.tests is not None:
        return spread_text(spread(strategy.tests), score)
    done = sum(outcome.test is not None for outcome in strategy.outcomes)
    return f"{done} of {len(strategy.outcomes)} evaluated" if done else NOT_EVALUATED


def _configurations(strategies: tuple[Strategy, ...]) -> list[tuple[str, Callable[[Strategy], str]]]:
    """Return the best configurations, a row a parameter."""
    names = dict.fromkeys(name for strategy in strategies for name in strategy.best.config)

    def writer(name: str) -> Callable[[Strategy], str]:
        return lambda strategy: (
            cut(value_text(strategy.best.config[name]), _WIDEST_VALUE) if name in strategy.best.config else "-"
        )

    rows = [(f"  {clean(name)}", writer(name)) for name in islice(names, _MOST_PARAMETERS)]
    left_out = len(names) - len(rows)
    return [*rows, (f"  … and {left_out:,} more", lambda _: "")] if left_out else rows


def _origin(strategy: Strategy) -> str:
    best = strategy.best
    trial = f"trial {best.trial}"
    return trial if strategy.planned == 1 else f"{trial} of {clean(best.run.name)}"


def _print_sentence(console: Console, text: Text) -> None:
    # A terminal breaks a long sentence between words. Elsewhere a line stays whole, because people search logs.
    console.print(text, soft_wrap=not console.is_terminal)
