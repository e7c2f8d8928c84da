"""Runs an experiment several times with different seeds: a plain run each, together one resumable whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tune_jobs.engine.run_folder import create as run_folder
from tune_jobs.engine.run_folder.object_store_check import own_folder_problems
from tune_jobs.engine.run_folder.reporter import Reporter
from tune_jobs.engine.runner import request_problems, resume, run
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import differences, refusal, restore_experiment
from tune_jobs.results import Ending
from tune_jobs.results.run import Repeat, Run

MOST_REPEATS = 1000  # and the distance of the seeds of two experiments: their repeats never share one


def run_repeats(
    experiment: Experiment,
    repeats: int,
    *,
    storage: str | Path = "runs",
    name: str | None = None,
    experiment_name: str | None = None,
    reference: str | None = None,
    reporter: Reporter | None = None,
) -> list[Run]:
    """Runs an experiment several times, one after another, each time with another seed.

    Repeat r (from 1) of an experiment with seed s has seed 1000 s + r - 1, and is the run NAME-r.

    Args:
        experiment: What to run.
        repeats: How often.
        storage: The folder that holds the runs.
        name: The name of the group; None: the experiment's name and the time.
        experiment_name: The experiment's name; None: the trainable's.
        reference: How the command line finds the experiment again, to resume the group.
        reporter: Whoever shows the progress, of one run after the other.

    Returns:
        The runs; fewer than asked for when Ctrl-C came.

    Raises:
        RequestError: As of ``run``, for all repeats at once.
        RunFailed: Every trial of a repeat failed, or Ray did; later repeats are not begun.
        KeyboardInterrupt: Ctrl-C came before the first trial of the first repeat; nothing is left behind.
    """
    experiment_name = experiment_name or experiment.trainable.__name__
    name = name or run_folder.default_name(experiment_name)
    if problems := repeats_problems(experiment, repeats, storage, name):
        raise RequestError(*problems)

    def begin(repeat: Repeat) -> Run:
        return run(
            replace(experiment, seed=MOST_REPEATS * experiment.seed + repeat.number - 1),
            storage=storage,
            name=repeat.name,
            experiment_name=experiment_name,
            reference=reference,
            reporter=reporter,
            repeat=repeat,
        )

    return _until_interrupted(begin, (Repeat(name, number, repeats) for number in range(1, repeats + 1)))


def resume_repeats(
    runs: list[Run], experiment: Experiment, *, force: bool = False, reporter: Reporter | None = None, **budgets: Any
) -> list[Run]:
    """Goes on with a group of repeats: resumes those that have not ended, and runs those that are missing.

    Args:
        runs: Its repeats that there are: see ``tune_jobs.results.find.find_runs``.
        experiment: What they run, as it is declared today.
        force: Go on although the space or the code has changed.
        reporter: Whoever shows the progress.
        budgets: What every repeat may use up from now on, by the experiment's fields; with any of them, repeats that
            have ended are resumed as well.

    Returns:
        The runs; fewer than there are to be when Ctrl-C came.

    Raises:
        RequestError: A repeat cannot go on, and why.
        RunFailed: Every trial of a repeat failed, or Ray did.
        JournalError: A journal is damaged other than by a crash.
    """
    group = runs[0].repeat
    if group is None:
        raise RequestError(f"The run {runs[0].name} is no repeat of a group: resume it by itself.")
    asked = runs[0].experiment
    there = {repeat.number: run for run in runs if (repeat := run.repeat)}
    changes = {field: value for field, value in budgets.items() if value is not None}
    if len(there) < group.count and not force and (changed := differences(experiment, asked)):
        raise refusal(changed, "Undo that, begin new repeats, or go on all the same with --force.")

    def go_on(repeat: Repeat) -> Run:
        begun = there.get(repeat.number)
        if begun is None:
            seed = asked["seed"] + repeat.number - group.number
            return run(
                restore_experiment(experiment, asked, **changes, seed=seed),
                storage=runs[0].storage,
                name=repeat.name,
                experiment_name=asked.get("experiment"),
                reference=asked.get("reference"),
                reporter=reporter,
                repeat=repeat,
            )
        if begun.history().is_finished and not changes:
            return begun
        return resume(
            begun.location, restore_experiment(experiment, begun.experiment, **changes), force=force, reporter=reporter
        )

    return _until_interrupted(go_on, (replace(group, number=number) for number in range(1, group.count + 1)))


def repeats_problems(experiment: Experiment, repeats: int, storage: str | Path, name: str | None) -> list[str]:
    """All that is wrong with a request to run an experiment repeatedly, before anything is done for it.

    Args:
        experiment: What to run; it may be one that was never checked.
        repeats: How often.
        storage: The folder that would hold the runs.
        name: The name of the group; None: one that is free.
    """
    problems = request_problems(experiment, storage, name)
    if type(repeats) is not int or not 2 <= repeats <= MOST_REPEATS:
        problems.append(
            f"The value of `repeats` is {repeats!r}, but must be a whole number from 2 to {MOST_REPEATS:,}. "
            "Leave --repeats out to run once."
        )
    elif name is not None and not problems:
        names = (Repeat(name, number, repeats).name for number in range(1, repeats + 1))
        problems = [problem for each in names for problem in own_folder_problems(storage, each)]
    return problems


def _until_interrupted(work: Callable[[Repeat], Run], repeats: Iterator[Repeat]) -> list[Run]:
    done: list[Run] = []
    try:
        for repeat in repeats:
            done.append(work(repeat))
            if done[-1].history().reason == Ending.INTERRUPTED:
                break
    except KeyboardInterrupt:  # in a repeat that had done nothing yet, or between two
        if not done:
            raise
    return done
