"""Loading the experiment of an earlier run: unasked only if its file was named by this user, here."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from tune_jobs.cli.screen import can_ask
from tune_jobs.errors import RequestError

if TYPE_CHECKING:
    from tune_jobs.loading.loader import Loaded
    from tune_jobs.results.run import Run


def reload_experiment(
    runs: Sequence[Run],
    call: str,
    named: str | None = None,
    *,
    trust_code: bool = False,
    force: bool = False,
    **budgets: Any,
) -> Loaded:
    """Load the experiment of a run as it was when the run began, and say what has changed since if that is accepted.

    Args:
        runs: The run, or the repeats of one experiment. The first one's record counts.
        call: The Python call that does the same.
        named: The file or module of the experiment, as the user has named it now; None: the run's record names it.
        trust_code: Whether the user trusts the file that the record names.
        force: Whether the user accepts a changed space or changed code.
        budgets: Fields to replace. None keeps the value of the run.

    Raises:
        RequestError: The run was started from Python, its experiment cannot be loaded any more, or the user does not
            trust the file that the record names.
    """
    from tune_jobs.experiment.record import restore_experiment
    from tune_jobs.loading.loader import load

    run = runs[0]
    if run.is_study:
        raise RequestError(
            f"The run {run.name} is a study, whose trials a loop of your own trains: call tune_jobs.ask_tell with its "
            "name again to go on. The command line can read it, but knows no code that trains its trials."
        )
    reference = named or run.experiment.get("reference")
    if not isinstance(reference, str):
        raise RequestError(
            f"The run {run.name} was begun from Python, so the command line knows no file to load its experiment "
            f"from: name it with --experiment FILE, or call tune_jobs.{call}."
        )
    if named is None and not trust_code:
        _ask_for_trust(run.name, reference, run.experiment)
    loaded = load(reference, partial(restore_experiment, record=run.experiment, **budgets))
    if force:
        _say_changes(loaded, runs)
    anchor(runs, loaded)
    return loaded


def anchor(runs: Sequence[Run], loaded: Loaded) -> None:
    """Let runs be found from the current folder that an experiment's code wants, too."""
    if loaded.folder is not None:
        for run in runs:
            run.folder = run.folder.absolute()


def _say_changes(loaded: Loaded, runs: Sequence[Run]) -> None:
    from tune_jobs.experiment.record import ChangedSinceTraining, differences
    from tune_jobs.views.text import clean

    warnings.simplefilter("ignore", ChangedSinceTraining)  # Python's users are warned of the same
    changes = [sentence for run in runs for sentence in differences(loaded.experiment, run.experiment)]
    for sentence in dict.fromkeys(changes):
        click.echo(f"note: {clean(sentence)}", err=True)


def _ask_for_trust(name: str, reference: str, record: Mapping[str, Any]) -> None:
    """Do nothing if a file may be run unasked; else ask on a terminal.

    Raises:
        RequestError: The user said no, or there is nobody to ask.
    """
    from tune_jobs.experiment.origin import file_of, is_begun_here
    from tune_jobs.loading.shipped import shipped_names
    from tune_jobs.views.text import clean

    if reference in shipped_names() or is_begun_here(record):
        return
    file = file_of(reference)
    what = f"the file {file}" if file is not None else f"the experiment {reference}"
    facts = (
        f"The run {name} names {what} as the code of its experiment, and nothing shows that you began the run with it "
        "on this machine."
    )
    if not can_ask():
        raise RequestError(
            f"{facts} It is not run unasked: read it, and name it with --experiment {shlex.quote(reference)}, or add "
            "--trust-code."
        )
    if not click.confirm(f"{clean(facts)}\nRun it?", err=True):
        raise RequestError(f"The code of the run {name} was not run. Name the experiment with --experiment FILE.")
