"""Running an experiment and resuming a run: checks first, then ``engine.driver`` does the work in the run's folder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from trainables.storage.checkpoint import DiskCheckpoints
from trainables.storage.file_format import NewerFormatError
from trainables.storage.object_store import ObjectStoreFolder, is_uri
from tune_jobs.engine.data import capacity_problems
from tune_jobs.engine.driver import drive
from tune_jobs.engine.earlier_results.gather import gather_or_tell
from tune_jobs.engine.earlier_results.source import Source
from tune_jobs.engine.on_ray.early_imports import imported_before_checks
from tune_jobs.engine.on_ray.sending import sending_notes, sending_problems
from tune_jobs.engine.on_ray.session import available_machine
from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.create import create_folder, default_name, storage_made, update_record
from tune_jobs.engine.run_folder.names import IfExists, choice_problems, free_name
from tune_jobs.engine.run_folder.replacement import replaced_run
from tune_jobs.engine.run_folder.reporter import Reporter
from tune_jobs.engine.run_folder.tools import remembered_tools
from tune_jobs.engine.run_folder.working_folder import (
    discard,
    folder_to_work_in,
    open_folder,
    prepare_storage,
    storage_problems,
)
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import accept_changes, differences, has_other_budgets, other_settings
from tune_jobs.experiment.resources import Resources
from tune_jobs.experiment.together import backend_problems
from tune_jobs.host.signals import terminable
from tune_jobs.host.surroundings import folder_problems, preserved
from tune_jobs.results import Ending, History, Status, coherent, fold
from tune_jobs.results.find import load_run
from tune_jobs.results.layout import RAY_LOG, error_file, trial_folder
from tune_jobs.results.object_store_runs import run_names
from tune_jobs.results.run import Repeat, Run

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger(__name__)


@imported_before_checks()
def run(
    experiment: Experiment,
    *,
    storage: str | Path = "runs",
    name: str | None = None,
    experiment_name: str | None = None,
    reference: str | None = None,
    warm_start: Sequence[Source | pd.DataFrame] = (),
    reporter: Reporter | None = None,
    repeat: Repeat | None = None,
    if_exists: IfExists = "refuse",
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Run an experiment on this machine, or on the Ray cluster that this process has joined.

    Args:
        experiment: The experiment.
        storage: The folder of all runs, or the URI of one in an object store.
        name: The run's name; None: the experiment's name and the time.
        experiment_name: The experiment's name; None: the trainable's.
        reference: The reference by which the command line finds the experiment again, to resume the run.
        warm_start: Sources of earlier results, from which the searcher learns first: runs, or their folders; CSV files
            or DataFrames, such as leaderboards; storages of Optuna; folders of KerasTuner. ``WarmStart`` says how they
            are taken.
        reporter: The reporter that shows the progress; None: nobody watches.
        repeat: The position of the run in a group of repeats; None: a run by itself.
        if_exists: What happens if a run of this name exists, such as when a cell of a notebook is run again. "refuse":
            an error. "resume": that run goes on, and is returned as it is if nothing is left to do. "overwrite": it is
            replaced, once this one has begun. "new": this one gets another name, with the time.
        callbacks: Objects that are told every event in this process: see ``Callback``. Tools go on after a resume.

    Returns:
        The run, also if it was interrupted by Ctrl-C.

    Raises:
        RequestError: Something about the request is wrong. Everything that can be known before the start is in one
            error. Nothing is left behind.
        RunFailed: Every trial failed, many failed alike one after another, or Ray or the storage failed.
        KeyboardInterrupt: Ctrl-C came before the first trial. Nothing is left behind.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> run = tune_jobs.run(EXPERIMENT.override(trials=2, max_epochs=1), storage="runs", name="two-trials")
        >>> run
        Run('.../runs/two-trials')
        >>> [trial.status.value for trial in run.history().trials.values()]
        ['completed', 'completed']

        A cell of a notebook can be run again:

        >>> again = EXPERIMENT.override(trials=2, max_epochs=1)
        >>> tune_jobs.run(again, storage="runs", name="two-trials", if_exists="resume")
        Run('.../runs/two-trials')
    """
    experiment_name = experiment_name or experiment.trainable.__name__
    if problems := choice_problems(if_exists):
        raise RequestError(*problems)
    name = name or default_name(experiment_name)
    problems = request_problems(experiment, storage, name, if_exists)
    earlier = _existing_run(storage, name) if if_exists == "resume" and not problems else None
    taken, lessons = gather_or_tell(warm_start, experiment, problems) if earlier is None else ([], [])
    if problems:
        raise RequestError(*problems)
    if earlier is not None:
        return _go_on(earlier, experiment, reporter, callbacks)
    name = free_name(storage, name) if if_exists == "new" else name
    local_storage, remote = prepare_storage(storage, name)
    replaced = replaced_run(local_storage.absolute() / name) if if_exists == "overwrite" else nullcontext()
    with storage_made(local_storage.absolute()), replaced:
        record = (experiment_name, reference, repeat, (taken, lessons), callbacks)
        folder = create_folder(local_storage, name, experiment, *record)
        notes = [*sending_notes(experiment.trainable), *(str(source) for source in taken)]
        return _begin(folder, remote, experiment, reporter, notes, callbacks)


def _begin(
    folder: Path,
    remote: ObjectStoreFolder | None,
    experiment: Experiment,
    reporter: Reporter | None,
    notes: Sequence[str],
    callbacks: Sequence[Callback],
) -> Run:
    """Run all trials of a run that was just created. If nothing comes of it, the run is deleted."""
    try:
        with preserved(), terminable(), open_folder(folder, remote) as working_folder:
            drive(working_folder, experiment, reporter, notes=notes, callbacks=callbacks)
        history = Run(folder).history()
        if history.reason == Ending.INTERRUPTED and not history.trials:
            raise KeyboardInterrupt
    except RequestError:
        discard(folder, remote)
        raise
    except KeyboardInterrupt:  # before the first trial, or after the work was done: only the former leaves nothing
        if not Run(folder).history().trials:
            discard(folder, remote)
        raise
    return _with_a_sound_trial(Run(folder, remote))


def _existing_run(storage: str | Path, name: str) -> Run | None:
    location = f"{storage}/{name}" if is_uri(storage) else Path(storage, name).absolute()
    is_there = name in run_names(str(storage)) if is_uri(storage) else Path(location).exists()
    return load_run(location) if is_there else None


def _go_on(run: Run, experiment: Experiment, reporter: Reporter | None, callbacks: Sequence[Callback]) -> Run:
    """Resume a run with the experiment that would begin it, or return it if it is finished and nothing is added."""
    changed = [*other_settings(experiment, run.experiment), *differences(experiment, run.experiment)]
    accept_changes(
        changed,
        "Undo that, or begin another run (--if-exists new or overwrite; in Python: if_exists='new').",
        force=False,
    )
    if run.history().is_finished and not has_other_budgets(experiment, run.experiment):
        return _with_a_sound_trial(run)
    return resume(run.location, experiment, reporter=reporter, callbacks=callbacks)


@imported_before_checks()
def resume(
    folder: str | Path,
    experiment: Experiment,
    *,
    force: bool = False,
    reporter: Reporter | None = None,
    callbacks: Sequence[Callback] = (),
    tools: bool = True,
) -> Run:
    """Continue a run that was interrupted or killed, or do more of a finished one.

    Finished trials are not run again. Unfinished ones continue from their newest whole checkpoint, or start again. The
    time budget begins anew.

    Args:
        folder: The run's folder, or its URI.
        experiment: The experiment of the run, with the budgets that hold from now on: see ``restore_experiment``.
        force: Whether to continue although the space or the code has changed.
        reporter: The reporter that shows the progress; None: nobody watches.
        callbacks: Objects that are told every event in this process: see ``Callback``.
        tools: Whether ``TensorBoard``, ``MLflow`` and ``WandB`` go on if the run had them, but for a kind given now.

    Returns:
        The run, also if it was interrupted by Ctrl-C.

    Raises:
        RequestError: The run cannot continue. It is left as it was.
        RunFailed: Every trial failed, or Ray did.
        JournalError: The journal is damaged, and not by a crash.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> run = tune_jobs.resume("runs/digits", EXPERIMENT.override(trials=5, max_epochs=2))
        >>> len(run.history().trials)
        5
    """
    run = load_run(folder)
    problems = folder_problems() or experiment.problems() or sending_problems(experiment.trainable)
    if problems := problems or _problems_here(experiment):
        raise RequestError(*problems)
    changed = differences(experiment, run.experiment)
    accept_changes(changed, "Undo that, begin a new run, or go on all the same with --force.", force=force)
    path = folder_to_work_in(run)
    with preserved(), terminable(), open_folder(path, run.remote) as working_folder:
        run = Run(path, run.remote)
        events = run.events()
        history = fold(events)
        _check_checkpoints(path, history)
        _log_resumption(history)
        remembered, missing = remembered_tools(run.experiment, callbacks) if tools else ([], [])
        told, notes = [*remembered, *callbacks], [*history.damages, *missing]
        update_record(path, run.experiment, experiment, told if callbacks else ())
        drive(working_folder, experiment, reporter, earlier=list(coherent(events)), notes=notes, callbacks=told)
    return _with_a_sound_trial(run)


def _check_checkpoints(folder: Path, history: History) -> None:
    """Refuse to go on without checkpoints that only a newer version can read: they would be deleted."""
    problems: list[str] = []
    for trial in _unfinished(history):
        try:
            DiskCheckpoints(trial_folder(folder, trial)).check_formats()
        except NewerFormatError as error:
            problems.append(str(error))
    if problems:
        raise RequestError(*problems)


def _unfinished(history: History) -> list[int]:
    unfinished = (Status.RUNNING, Status.PAUSED, Status.INTERRUPTED)
    return [number for number, trial in history.trials.items() if trial.status in unfinished]


def _log_resumption(history: History) -> None:
    unfinished = ", ".join(map(str, _unfinished(history))) or "none"
    text = "Resuming: %d trials in the journal, of which these are continued or start again: %s"
    _LOG.info(text, len(history.trials), unfinished)


def request_problems(
    experiment: Experiment, storage: str | Path, name: str | None, if_exists: IfExists = "refuse"
) -> list[str]:
    """Return everything that is wrong with a request to run an experiment, before anything is done for it.

    Args:
        experiment: The experiment. It may be one that was never checked.
        storage: The folder of all runs, or the URI of one in an object store.
        name: The run's name; None for a name that is free.
        if_exists: What happens if a run of this name exists: see ``run``.
    """
    if problems := folder_problems():
        return problems
    resources = experiment.resources
    has_sound_resources = isinstance(resources, Resources) and not resources.problems()
    problems = experiment.problems()
    return [
        *(problems or sending_problems(experiment.trainable)),
        *(_problems_here(experiment) if has_sound_resources else []),
        *storage_problems(storage, name, if_exists),
    ]


def _problems_here(experiment: Experiment) -> list[str]:
    kept = getattr(experiment.trainable, "data_cpus", None)
    kept = kept if isinstance(kept, int | float) else 0  # anything else is a problem of the trainable
    capacity = capacity_problems(available_machine(), experiment.resources, kept)
    return [*capacity, *backend_problems(experiment.together)]


def _with_a_sound_trial(run: Run) -> Run:
    """Return the run, unless all of its trials failed.

    Raises:
        RunFailed: All failed, and nobody interrupted the run.
    """
    history = run.history()
    failed = [trial for trial in history.trials.values() if trial.error]
    if not failed or len(failed) < len(history.trials) or history.reason == Ending.INTERRUPTED:
        return run
    first = failed[0]
    traceback = error_file(run.folder, first.trial)
    where = f"its traceback: {traceback}" if traceback.exists() else f"the log: {run.folder / RAY_LOG}"
    raise RunFailed(f"All {len(failed)} trials failed; trial {first.trial}: {first.error} ({where})", run.folder)
