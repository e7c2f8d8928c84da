"""The command that writes the best model into a file, or the trials into a study of Optuna."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli.reload_experiment import reload_experiment


@click.command()
@click.argument("run")
@click.argument("file", type=options.PATH, required=False)
@options.storage
@click.option("--optuna", metavar="URL", help="Write the trials as a study into this storage: sqlite:///study.db.")
@click.option("--study", metavar="NAME", help="The name of that study.  [default: the run's name]")
@options.trial
@options.experiment
@options.trust_code
@options.force
@options.diagnostics
def export(
    run: str,
    file: Path | None,
    storage: Path | str,
    optuna: str | None,
    study: str | None,
    trial: int | None,
    experiment: str | None,
    trust_code: bool,
    force: bool,
) -> None:
    """Write the best model of RUN, with the weights of its best epoch, into FILE.

    FILE must end in .keras. keras.models.load_model reads it without this package. With --optuna, the trials of RUN
    become a study that Optuna's dashboard and plots open.
    """
    if (file is None) == (optuna is None):
        raise click.UsageError("Name FILE for the best model, or --optuna URL for a study, and not both.")
    if optuna is not None:
        _export_study(run, storage, optuna, study)
        return
    assert file is not None  # noqa: S101 - one of the two is there
    from tune_jobs.evaluation.model_file import check_model_file
    from tune_jobs.results.find import find_run
    from tune_jobs.views.reports.evaluation import exported_lines

    check_model_file(file)
    found_run = find_run(run, storage)
    loaded = reload_experiment(
        [found_run], "export(folder, EXPERIMENT, file)", experiment, trust_code=trust_code, force=force
    )
    from tune_jobs.evaluation.export import export as export_model

    target = file.absolute()
    with loaded.in_its_folder():
        exported = export_model(found_run, loaded.experiment, target, trial=trial, force=force)
    for line in exported_lines(exported, found_run, file):
        click.echo(line)


def _export_study(run: str, storage: Path | str, url: str, study: str | None) -> None:
    from tune_jobs.exports.optuna_study import check_optuna, export_study
    from tune_jobs.results.find import find_run

    check_optuna()
    found_run = find_run(run, storage)
    count = export_study(found_run, url, study)
    click.echo(f"study {study or found_run.name} with {count} trials is in {url}")
    click.echo(f"next: optuna-dashboard {url}")
