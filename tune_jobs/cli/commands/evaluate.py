"""The command that scores trials on the test set."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli.reload_experiment import reload_experiment
from tune_jobs.cli.screen import console_of, own_stdout


@click.command()
@click.argument("run")
@options.storage
@options.trial
@click.option("--top", type=click.IntRange(min=1), help="Evaluate this many of the best trials of each run.")
@click.option(
    "--output",
    type=options.PATH,
    metavar="FILE",
    help="Picture of the best trial's report: a .png, .svg or .pdf.",
)
@options.experiment
@options.trust_code
@options.force
@options.diagnostics
def evaluate(
    run: str,
    storage: Path | str,
    trial: int | None,
    top: int | None,
    output: Path | None,
    experiment: str | None,
    trust_code: bool,
    force: bool,
) -> None:
    """Evaluate the best trial of RUN on the test set, or the best trial of each run in a group of repeats.

    The test set is the third split that load_data returns. No searcher, scheduler or callback ever sees it. The command
    prints the loss, every metric and a report. From then on the leaderboard shows the scores.
    """
    from tune_jobs.errors import RequestError
    from tune_jobs.results.find import find_runs
    from tune_jobs.views.plots.canvas import check_picture
    from tune_jobs.views.reports.evaluation import print_evaluations

    runs = find_runs(run, storage)
    if len(runs) > 1 and trial is not None:
        raise RequestError(f"{run} has {len(runs)} runs, but --trial names a trial of one: name the run.")
    if output is not None:
        check_picture(output)
    loaded = reload_experiment(runs, "evaluate(folder, EXPERIMENT)", experiment, trust_code=trust_code, force=force)
    with own_stdout() as stream:
        from tune_jobs.evaluation.evaluate import evaluate_runs

        with loaded.in_its_folder():
            evaluations = evaluate_runs(runs, loaded.experiment, trial=trial, top=top, force=force)
        print_evaluations(console_of(stream), evaluations)
    if output is not None:
        from tune_jobs.views.plots.confusion import draw_reports

        best = evaluations[0]
        title = f"{best.run.name}, trial {best.ranked.trial.trial}, on the test set"
        draw_reports(best.scored.reports, title, output)
        click.echo(f"drawn in {output}", err=True)
