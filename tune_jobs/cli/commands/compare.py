"""The commands that compare: runs with each other, and a run with what another search would have done."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli import table_output as tables
from tune_jobs.cli.reload_experiment import reload_experiment
from tune_jobs.cli.run_options import AUTO, SCHEDULER_NAMES, SEARCHER_NAMES
from tune_jobs.cli.screen import console_of

# Parquet needs a file, and --output is a picture.
FORMATS = tuple(name for name in tables.FORMATS if name != "parquet")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@options.storage
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="table",
    help="All formats except table have one row per run.",
)
@click.option(
    "--output",
    type=options.PATH,
    metavar="FILE",
    help="Where to draw the best so far: a .png, .svg or .pdf.",
)
@options.diagnostics
def compare(runs: tuple[str, ...], storage: Path | str, format_: str, output: Path | None) -> None:
    """Compare RUNs: their results, their costs, and whether the difference is more than luck.

    A RUN that names repeats (run --repeats) is shown by its median and quartiles. Only repeats can show that a
    difference is more than luck. The picture shows the best objective so far, over epochs and over seconds.
    """
    from tune_jobs.analysis.comparison import compare as compare_runs
    from tune_jobs.results.find import find_all_runs
    from tune_jobs.views.plots.canvas import check_picture
    from tune_jobs.views.reports.comparison import print_comparison

    if output is not None:
        check_picture(output)
    comparison = compare_runs(find_all_runs(runs, storage))
    tables.put(
        comparison.table(),
        format_,
        None,
        lambda console: print_comparison(console, comparison, options.default_storage()),
    )
    if output is not None:
        from tune_jobs.views.plots.best_so_far import draw

        draw(comparison, output)
        click.echo(f"drawn in {output}", err=True)


@click.command()
@click.argument("run")
@options.storage
@click.option(
    "--searcher",
    "searchers",
    type=click.Choice((AUTO, *SEARCHER_NAMES)),
    multiple=True,
    help="Another searcher; can be repeated.",
)
@click.option(
    "--scheduler",
    "schedulers",
    type=click.Choice(SCHEDULER_NAMES),
    multiple=True,
    help="Another scheduler; can be repeated.",
)
@click.option(
    "--total-epochs", type=click.IntRange(min=1), help="Epochs of all trials together.  [default: those of the run]"
)
@click.option("--max-concurrent", type=click.IntRange(min=1), help="Trials side by side.  [default: as in the run]")
@click.option("--seeds", type=click.IntRange(2, 100), default=10, show_default=True, help="Replays of each choice.")
@options.diagnostics
def replay(
    run: str,
    storage: Path | str,
    searchers: tuple[str, ...],
    schedulers: tuple[str, ...],
    total_epochs: int | None,
    max_concurrent: int | None,
    seeds: int,
) -> None:
    """Say what another searcher or scheduler would have reached in RUN, without training.

    A model that is fitted to the trials of RUN foretells the others. How far that can be trusted is checked by leaving
    trials out, and printed.
    """
    from tune_jobs.results.find import find_run
    from tune_jobs.views.reports.replay import print_replay

    print_replay(
        console_of(sys.stdout),
        find_run(run, storage),
        searchers,
        schedulers,
        epochs=total_epochs,
        workers=max_concurrent,
        seeds=seeds,
    )


@click.command()
@click.argument("run")
@options.storage
@options.experiment
@options.trust_code
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the number of the trial and its configuration.")
@options.diagnostics
def suggest(run: str, storage: Path | str, experiment: str | None, trust_code: bool, as_json: bool) -> None:
    """Print the configuration that RUN would try next, whatever is left of its budgets.

    Nothing is trained and nothing is written. The journal is replayed, and the searcher is asked. The experiment's file
    is loaded only if the searcher or the scheduler is one of your own, or --experiment names it.
    """
    from tune_jobs.results.find import find_run

    found_run = find_run(run, storage)
    from tune_jobs.engine.suggestion import needs_experiment  # seconds: only when there is a run
    from tune_jobs.engine.suggestion import suggest as next_suggestion

    declared = None
    if experiment or (needs_experiment(found_run) and not found_run.is_study):
        call = "suggest(run, EXPERIMENT)"
        declared = reload_experiment([found_run], call, experiment, trust_code=trust_code).experiment
    suggestion = next_suggestion(found_run, declared)
    if as_json:
        click.echo(json.dumps({"trial": suggestion.trial, "config": suggestion.config}))
        return
    click.echo(f"trial {suggestion.trial}")
    width = max(map(len, suggestion.config), default=0)
    for name, value in suggestion.config.items():
        click.echo(f"{name:<{width}}  {json.dumps(value)}")
