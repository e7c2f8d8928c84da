"""The command that writes the best model into a file."""

from __future__ import annotations

from pathlib import Path

import click

from tune_jobs.cli import options
from tune_jobs.cli.reload_experiment import reload_experiment


@click.command()
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
@options.storage
@options.trial
@options.experiment
@options.trust_code
@options.force
@options.diagnostics
def export(
    run: str,
    file: Path,
    storage: Path | str,
    trial: int | None,
    experiment: str | None,
    trust_code: bool,
    force: bool,
) -> None:
    """Write the best model of RUN, with the weights of its best epoch, into FILE.

    FILE must end in .keras. keras.models.load_model reads it without this package.
    """
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
