"""The command that trains the best configuration again on more data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tune_jobs.cli import options
from tune_jobs.cli.reload_experiment import reload_experiment
from tune_jobs.cli.screen import console_of, own_stdout

if TYPE_CHECKING:
    from trainables.report import Epoch


@click.command()
@click.argument("run")
@click.argument("file", type=options.PATH)
@options.storage
@options.trial
@click.option("--seed", type=click.IntRange(min=0), help="Seed of weights and order of examples.  [default: the run's]")
@options.experiment
@options.trust_code
@options.force
@options.diagnostics
def refit(
    run: str,
    file: Path,
    storage: Path | str,
    trial: int | None,
    seed: int | None,
    experiment: str | None,
    trust_code: bool,
    force: bool,
) -> None:
    """Train the best configuration of RUN again on training and validation data together, and write it into FILE.

    The training has as many epochs as the number of the best epoch says. It uses no Ray and all CPUs. The model is then
    evaluated on the test set. FILE must end in .keras. keras.models.load_model reads it.
    """
    from tune_jobs.evaluation.model_file import check_model_file
    from tune_jobs.results.find import find_run
    from tune_jobs.views.reports.evaluation import epoch_line, print_refitted

    check_model_file(file)
    found_run = find_run(run, storage)
    loaded = reload_experiment(
        [found_run], "refit(folder, EXPERIMENT, file)", experiment, trust_code=trust_code, force=force
    )
    from tune_jobs.evaluation.refit import refit as refit_model

    with own_stdout() as stream:
        console = console_of(stream)

        def on_epoch(epoch: Epoch, epochs: int) -> None:
            console.print(epoch_line(epoch, epochs), soft_wrap=True)

        target = file.absolute()
        with loaded.in_its_folder():
            refitted = refit_model(
                found_run, loaded.experiment, target, trial=trial, seed=seed, force=force, on_epoch=on_epoch
            )
        print_refitted(console, refitted, found_run, file)
