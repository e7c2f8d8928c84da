"""Repeats: an experiment run several times with different seeds, each time as a plain run; a group can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from search_spaces.messages import short_repr
from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.create import default_name
from tune_jobs.engine.run_folder.names import IfExists, choice_problems, free_name
from tune_jobs.engine.run_folder.reporter import Reporter
from tune_jobs.engine.run_folder.tools import remembered_tools
from tune_jobs.engine.run_folder.working_folder import storage_problems
from tune_jobs.engine.runner import request_problems, resume, run
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.fields import changeable_fields
from tune_jobs.experiment.origin import is_begun_here
from tune_jobs.experiment.record import (
    accept_changes,
    differences,
    has_other_budgets,
    other_settings,
    restore_experiment,
)
from tune_jobs.results import Ending
from tune_jobs.results.find import find_repeats
from tune_jobs.results.run import Repeat, Run

MAX_REPEATS = 1000  # also the distance between the seeds of two experiments, so that their repeats never share one


def run_repeats(
    experiment: Experiment,
    repeats: int,
    *,
    storage: str | Path = "runs",
    name: str | None = None,
    experiment_name: str | None = None,
    reference: str | None = None,
    reporter: Reporter | None = None,
    if_exists: IfExists = "refuse",
    callbacks: Sequence[Callback] = (),
) -> list[Run]:
    """Run an experiment several times, one run after another, each with another seed.

    Repeat r (from 1) of an experiment with seed s has the seed 1000 s + r - 1. It is the run ``NAME-r``.

    Args:
        experiment: The experiment.
        repeats: The number of runs.
        storage: The folder of all runs, or the URI of one in an object store.
        name: The name of the group; None: the experiment's name and the time.
        experiment_name: The experiment's name; None: the trainable's.
        reference: The reference by which the command line finds the experiment again, to resume the group.
        reporter: The reporter that shows the progress, of one run after the other; None: nobody watches.
        if_exists: What happens if there are repeats of this name: see ``run``.
        callbacks: Objects that are told every event of one run after the other: see ``Callback``. Each run begins with
            ``begin``, and ``plan.repeat`` says which it is.

    Returns:
        The runs; fewer than asked for if Ctrl-C came.

    Raises:
        RequestError: As for ``run``, for all repeats at once.
        RunFailed: Every trial of a repeat failed, or Ray did. Later repeats are not begun.
        KeyboardInterrupt: Ctrl-C came before the first trial of the first repeat. Nothing is left behind.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> small = EXPERIMENT.override(trials=1, max_epochs=1, seed=3)
        >>> runs = tune_jobs.run_repeats(small, 2, storage="runs", name="twice")
        >>> [(run.name, run.experiment["seed"]) for run in runs]
        [('twice-1', 3000), ('twice-2', 3001)]
    """
    experiment_name = experiment_name or experiment.trainable.__name__
    name = name or default_name(experiment_name)
    if problems := choice_problems(if_exists) or repeats_problems(experiment, repeats, storage, name, if_exists):
        raise RequestError(*problems)
    name = free_name(storage, name) if if_exists == "new" else name
    if if_exists == "resume" and (earlier := find_repeats(name, storage)):
        return _go_on(earlier, experiment, repeats, reference, reporter, callbacks)

    def begin(repeat: Repeat) -> Run:
        return run(
            replace(experiment, seed=MAX_REPEATS * experiment.seed + repeat.number - 1),
            storage=storage,
            name=repeat.name,
            experiment_name=experiment_name,
            reference=reference,
            reporter=reporter,
            repeat=repeat,
            if_exists=if_exists,
            callbacks=callbacks,
        )

    return _until_interrupted(begin, (Repeat(name, number, repeats) for number in range(1, repeats + 1)))


def _go_on(
    earlier: list[Run],
    experiment: Experiment,
    repeats: int,
    reference: str | None,
    reporter: Reporter | None,
    callbacks: Sequence[Callback],
) -> list[Run]:
    """Resume a group with the experiment that would begin it. Finished repeats are done if nothing is added."""
    run, group = earlier[0], earlier[0].repeat
    number, count = (group.number, group.count) if group else (1, 0)
    declared = replace(experiment, seed=MAX_REPEATS * experiment.seed + number - 1)
    changed = [*other_settings(declared, run.experiment), *differences(declared, run.experiment)]
    if count != repeats:
        changed.append(
            f"The group {run.name.rpartition('-')[0]} was begun with {count} repeats, but {repeats} are asked for now."
        )
    accept_changes(
        changed,
        "Undo that, or begin another group (--if-exists new or overwrite; in Python: if_exists='new').",
        force=False,
    )
    has_others = has_other_budgets(declared, run.experiment)
    budgets = {name: getattr(experiment, name) for name in changeable_fields()} if has_others else {}
    more: dict[str, Any] = {"reference": reference, "reporter": reporter, "callbacks": callbacks}
    return resume_repeats(earlier, experiment, **more, **budgets)


def resume_repeats(
    runs: list[Run],
    experiment: Experiment,
    *,
    force: bool = False,
    reference: str | None = None,
    reporter: Reporter | None = None,
    callbacks: Sequence[Callback] = (),
    tools: bool = True,
    **budgets: Any,
) -> list[Run]:
    """Continue a group of repeats: resume those that have not finished, and run those that are missing.

    Args:
        runs: The repeats that exist: see ``find_runs``.
        experiment: The experiment, as it is declared today.
        force: Whether to continue although the space or the code has changed.
        reference: The reference by which the experiment was loaded; None: the group's, if the group was begun here.
        reporter: The reporter that shows the progress; None: nobody watches.
        callbacks: Objects that are told every event of one run after the other: see ``Callback``.
        tools: Whether the tools that the group was given before go on: see ``resume``.
        budgets: The budgets of every repeat from now on, by the experiment's fields. With any of them, finished repeats
            are resumed as well.

    Returns:
        The runs; fewer than the group is to have if Ctrl-C came.

    Raises:
        RequestError: A repeat cannot continue.
        RunFailed: Every trial of a repeat failed, or Ray did.
        JournalError: A journal is damaged, and not by a crash.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> small = EXPERIMENT.override(trials=1, max_epochs=1)
        >>> runs = tune_jobs.run_repeats(small, 2, storage="runs", name="more")
        >>> runs = tune_jobs.resume_repeats(runs, small, trials=2)
        >>> [len(run.history().trials) for run in runs]
        [2, 2]
    """
    group = runs[0].repeat
    if group is None:
        raise RequestError(f"The run {runs[0].name} is no repeat of a group: resume it by itself.")
    record = runs[0].experiment
    if reference is None and is_begun_here(record):  # what is written for a new run is taken for this user's own
        reference = record["reference"]
    remembered = remembered_tools(record, callbacks)[0] if tools else []
    existing = {repeat.number: run for run in runs if (repeat := run.repeat)}
    changes = {field: value for field, value in budgets.items() if value is not None}
    if len(existing) < group.count:
        remedy = "Undo that, begin new repeats, or go on all the same with --force."
        accept_changes(differences(experiment, record), remedy, force=force)

    def run_or_resume(repeat: Repeat) -> Run:
        begun = existing.get(repeat.number)
        if begun is None:
            seed = record["seed"] + repeat.number - group.number
            return run(
                restore_experiment(experiment, record, **changes, seed=seed),
                storage=runs[0].storage,
                name=repeat.name,
                experiment_name=record.get("experiment"),
                reference=reference,
                reporter=reporter,
                repeat=repeat,
                callbacks=[*remembered, *callbacks],
            )
        if begun.history().is_finished and not changes:
            return begun
        declared = restore_experiment(experiment, begun.experiment, **changes)
        more: dict[str, Any] = {"reporter": reporter, "callbacks": callbacks, "tools": tools}
        return resume(begun.location, declared, force=force, **more)

    return _until_interrupted(run_or_resume, (replace(group, number=number) for number in range(1, group.count + 1)))


def repeats_problems(
    experiment: Experiment, repeats: int, storage: str | Path, name: str | None, if_exists: IfExists = "refuse"
) -> list[str]:
    """Return everything that is wrong with a request to run an experiment repeatedly, before anything is done for it.

    Args:
        experiment: The experiment. It may be one that was never checked.
        repeats: The number of runs.
        storage: The folder of all runs, or the URI of one in an object store.
        name: The name of the group; None for a name that is free.
        if_exists: What happens if there are repeats of this name: see ``run``.
    """
    goes_on = name is not None and if_exists in ("resume", "overwrite") and bool(find_repeats(name, storage))
    problems = request_problems(
        experiment, storage, None if goes_on else name, "new" if if_exists == "new" else "refuse"
    )
    if type(repeats) is not int or not 2 <= repeats <= MAX_REPEATS:
        problems.append(
            f"The value of `repeats` is {short_repr(repeats)}, but must be a whole number from 2 to {MAX_REPEATS:,}. "
            "Leave --repeats out to run once."
        )
    elif if_exists == "overwrite" and name is not None and len(find_repeats(name, storage)) > repeats:
        problems.append(
            f"The value of `repeats` is {repeats}, but the group {name} that is to be replaced has more. Ask for as "
            "many, or choose another --name."
        )
    elif name is not None and not problems:
        names = (Repeat(name, number, repeats).name for number in range(1, repeats + 1))
        problems = [problem for repeat_name in names for problem in storage_problems(storage, repeat_name, if_exists)]
    return problems


def _until_interrupted(work: Callable[[Repeat], Run], repeats: Iterator[Repeat]) -> list[Run]:
    runs: list[Run] = []
    try:
        for repeat in repeats:
            runs.append(work(repeat))
            if runs[-1].history().reason == Ending.INTERRUPTED:
                break
    except KeyboardInterrupt:  # in a repeat that had done nothing yet, or between two repeats
        if not runs:
            raise
    return runs
