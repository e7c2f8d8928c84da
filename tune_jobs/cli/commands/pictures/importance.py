"""The command that prints the importance of parameters."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli import table_output as tables


@click.command()
@click.argument("run")
@options.storage
@tables.format_
@tables.output
@options.diagnostics
def importance(run: str, storage: Path | str, format_: str | None, output: Path | None) -> None:
    """Print how important each parameter of RUN was for the objective, with the uncertainty of that.

    A forest learns the objective from the parameters; an importance is what it loses when the values of a parameter are
    exchanged between trials in which it is active.
    """
    from tune_jobs.results.find import find_run
    from tune_jobs.views.tables.export import format_for
    from tune_jobs.views.tables.importance import print_importance

    chosen = format_for(format_, output)
    found_run = find_run(run, storage)
    from tune_jobs.analysis.importance import importance as measure

    importances = measure(found_run)
    metric = found_run.objective.metric
    tables.put(importances.table(), chosen, output, lambda console: print_importance(console, importances, metric))
