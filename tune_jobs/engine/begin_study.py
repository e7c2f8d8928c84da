"""Beginning a study, or going on with one: ``ask_tell``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search_spaces import SearchSpace
from tune_jobs.base.objective import Objective
from tune_jobs.engine.earlier_results.gather import gather
from tune_jobs.engine.run_folder.create import create_folder, folder_problems, update_record
from tune_jobs.engine.run_folder.working_folder import locked
from tune_jobs.engine.study import Study, TrainedByHand
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import other_settings
from tune_jobs.results.find import load_run
from tune_jobs.schedulers import Scheduler
from tune_jobs.searchers import Searcher

_UNLIMITED = 10**9  # trials


def ask_tell(
    space: SearchSpace,
    objective: Objective | None = None,
    *,
    objectives: Sequence[Objective] = (),
    constraints: Sequence[str] = (),
    name: str = "study",
    storage: str | Path = "runs",
    searcher: Searcher | None = None,
    scheduler: Scheduler | None = None,
    max_epochs: int = 1,
    trials: int | None = None,
    total_epochs: int | None = None,
    time_budget_s: float | None = None,
    max_concurrent_trials: int = 1,
    seed: int = 0,
    warm_start: Sequence[Any] = (),
) -> Study:
    """Begin a study, or go on with it: a search that is asked and told, for training loops of any kind.

    Args:
        space: The space.
        objective: The objective.
        objectives: Several objectives, in place of ``objective``, which is the first of them.
        constraints: Comparisons that a trial must keep. A configuration that breaks one on parameters is not proposed.
        name: The name of the study, which is a run of the storage. If there is one, it goes on.
        storage: The folder of all runs.
        searcher: The searcher; None: that of ``Experiment``.
        scheduler: The scheduler; None: that of ``Experiment``.
        max_epochs: The number of epochs of a trial that nothing stops. 1 if a trial has one result.
        trials: The largest number of trials; None: no limit.
        total_epochs: The number of epochs of all trials together after which the study ends; None: no limit.
        time_budget_s: The seconds, from now, after which the study ends; None: no limit.
        max_concurrent_trials: The number of trials that are open at the same time, for the journal.
        seed: The seed of the proposals.
        warm_start: Sources of earlier results, as for ``run``. A study that goes on keeps those that it was begun with.

    Returns:
        The study. Trials that were open when it was interrupted are proposed first.

    Raises:
        RequestError: Something is wrong with the arguments, the run of that name is no study, or its space or its
            settings are others.
        InvalidDeclaration: A part of the study is wrong; all mistakes are listed.

    Example:
        >>> import tune_jobs
        >>> from search_spaces import Float, SearchSpace
        >>> from tune_jobs import Objective
        >>> space = SearchSpace(x=Float(-1.0, 1.0))
        >>> with tune_jobs.ask_tell(space, Objective("loss", "min"), name="parabola", trials=4) as study:
        ...     for trial in study:
        ...         goes_on = study.observe(trial, trial.config["x"] ** 2)
        >>> [trial.status.value for trial in study.run.history().trials.values()]
        ['completed', 'completed', 'completed', 'completed']
    """
    if scheduler is not None and scheduler.PAUSES:
        raise RequestError(
            f"The value of `scheduler` is {scheduler}, which pauses trials and lets them go on from checkpoints, but a "
            "study has none: take a scheduler that only stops trials, such as ASHA()."
        )
    given: dict[str, Any] = {
        "searcher": searcher,
        "scheduler": scheduler,
        "time_budget_s": time_budget_s,
        "total_epochs": total_epochs,
    }
    experiment = Experiment(
        trainable=TrainedByHand,
        space=space,
        objective=objective,  # type: ignore[arg-type]  # it may be the first of several
        objectives=objectives,
        constraints=constraints,
        max_epochs=max_epochs,
        trials=trials if trials or total_epochs or time_budget_s else _UNLIMITED,
        max_concurrent_trials=max_concurrent_trials,
        seed=seed,
        keep="all",  # weights are the user's own
        **{name: value for name, value in given.items() if value is not None},
    )
    folder = Path(storage).absolute() / name
    if folder.exists():
        _go_on(folder, experiment)
    elif problems := folder_problems(Path(storage), name):
        raise RequestError(*problems)
    else:
        earlier = gather(warm_start, experiment) if warm_start else ([], [])
        create_folder(Path(storage), name, experiment, name, warm_start=earlier)
    return Study(folder, experiment)


def _go_on(folder: Path, experiment: Experiment) -> None:
    """Record the budgets with which a study goes on.

    Raises:
        RequestError: The run is no study, or its space or its settings are others.
    """
    run = load_run(folder)
    remedy = "Choose another name, or undo that."
    if not run.is_study:
        raise RequestError(f"The run {run.name} is none that ask_tell began. {remedy}")
    changed = other_settings(experiment, run.experiment)
    if experiment.space.to_json() != run.experiment["space"]:
        changed.append("The search space has changed.")
    if changed:
        raise RequestError(*changed[:-1], f"{changed[-1]} {remedy}")
    with locked(folder):
        update_record(folder, run.experiment, experiment)
