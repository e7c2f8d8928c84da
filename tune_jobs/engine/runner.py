"""Runs an experiment: checks everything, starts Ray, lets the coordinator decide, and leaves a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trainables import Data
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import CheckpointPruner, RetentionPolicy
from tune_jobs.engine.decisions.warm_start import gather
from tune_jobs.engine.decisions.warm_start import read as read_lessons
from tune_jobs.engine.load_data import load_data
from tune_jobs.engine.on_ray.errors import in_one_line
from tune_jobs.engine.on_ray.free_slots import FreeSlots
from tune_jobs.engine.on_ray.local import workers_at_start
from tune_jobs.engine.on_ray.nodes import joined_machine
from tune_jobs.engine.on_ray.session import available, ray_session
from tune_jobs.engine.on_ray.storage_check import check_storage
from tune_jobs.engine.on_ray.tuner import trainable_for_ray, tune_trials
from tune_jobs.engine.run_folder import create as run_folder
from tune_jobs.engine.run_folder.lock import locked
from tune_jobs.engine.run_folder.object_store_check import home_of, own_folder_problems
from tune_jobs.engine.run_folder.object_store_mirror import Mirror, discard, mirrored, working_folder
from tune_jobs.engine.run_folder.recorder import Recorder, traceback_file
from tune_jobs.engine.run_folder.reporter import Plan, Reporter
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.record import differences, refusal
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine
from tune_jobs.host.output import redirect_output
from tune_jobs.host.signals import on_interrupt, terminable
from tune_jobs.results import Ending, Event
from tune_jobs.results.find import load_run
from tune_jobs.results.layout import RAY_LOG, TRIALS_FOLDER
from tune_jobs.results.run import Repeat, Run


def run(
    experiment: Experiment,
    *,
    storage: str | Path = "runs",
    name: str | None = None,
    experiment_name: str | None = None,
    reference: str | None = None,
    warm_start: Sequence[Run | Path | str] = (),
    reporter: Reporter | None = None,
    repeat: Repeat | None = None,
) -> Run:
    """Runs an experiment on this machine.

    Args:
        experiment: What to run.
        storage: The folder that holds the runs, or the URI of one in an object store.
        name: The run's name; None: the experiment's name and the time.
        experiment_name: The experiment's name; None: the trainable's.
        reference: How the command line finds the experiment again, to resume the run.
        warm_start: Runs, or their folders, whose results the searcher hears first.
        reporter: Whoever shows the progress.
        repeat: Which repeat of a group it is; None: a run by itself.

    Returns:
        The run, also when it was interrupted by Ctrl-C.

    Raises:
        RequestError: Something about the request is wrong, all that can be known before the start at once; nothing
            is left behind.
        RunFailed: Every trial failed, or many alike one after another, or Ray did, or the storage.
        KeyboardInterrupt: Ctrl-C came before the first trial; nothing is left behind.
    """
    experiment_name = experiment_name or experiment.trainable.__name__
    name = name or run_folder.default_name(experiment_name)
    if problems := request_problems(experiment, storage, name):
        raise RequestError(*problems)
    warm = gather([run if isinstance(run, Run) else load_run(run) for run in warm_start], experiment)
    home, remote = home_of(storage, name)
    folder = run_folder.create(home, name, experiment, experiment_name, reference, repeat, warm)
    taken, _ = warm
    try:
        with terminable(), locked(folder), mirrored(folder, remote) as mirror:
            _run_in(folder, experiment, reporter, notes=[str(each) for each in taken], mirror=mirror)
        history = Run(folder).history()
        if history.reason == Ending.INTERRUPTED and not history.trials:
            raise KeyboardInterrupt
    except RequestError:
        discard(folder, remote)
        raise
    except KeyboardInterrupt:  # before the first trial, or when Ray had done its work: only the former leaves nothing
        if not Run(folder).history().trials:
            discard(folder, remote)
        raise
    return _checked(Run(folder, remote))


def resume(folder: str | Path, experiment: Experiment, *, force: bool = False, reporter: Reporter | None = None) -> Run:
    """Goes on with a run that was interrupted or killed, or does more of a finished one.

    Finished trials are not run again; unfinished ones continue from their newest whole checkpoint, or start again.
    The time budget begins anew.

    Args:
        folder: The run's folder, or its URI.
        experiment: What it runs, with the budgets that hold from now on: see ``restore_experiment``.
        force: Go on although the space or the code has changed.
        reporter: Whoever shows the progress.

    Raises:
        RequestError: The run cannot go on, and why; it is left as it was.
        RunFailed: Every trial failed, or Ray did.
        JournalError: The journal is damaged other than by a crash.
    """
    run = load_run(folder)
    if problems := experiment.problems() or available().problems(experiment.resources):
        raise RequestError(*problems)
    if not force and (changed := differences(experiment, run.experiment)):
        raise refusal(changed, "Undo that, begin a new run, or go on all the same with --force.")
    here = working_folder(run)
    with terminable(), locked(here), mirrored(here, run.remote) as mirror:
        run = Run(here, run.remote)
        events = run.events()
        run_folder.budgets_changed(here, run.experiment, experiment)
        _run_in(here, experiment, reporter, events, mirror=mirror)
    return _checked(run)


def request_problems(experiment: Experiment, storage: str | Path, name: str | None) -> list[str]:
    """All that is wrong with a request to run an experiment, before anything is done for it.

    Args:
        experiment: What to run; it may be one that was never checked.
        storage: The folder, or the URI, that would hold the run.
        name: The run's name; None: one that is free.
    """
    resources = experiment.resources
    sound = isinstance(resources, Resources) and not resources.problems()
    return [
        *experiment.problems(),
        *(available().problems(resources) if sound else []),
        *own_folder_problems(storage, name),
    ]


def _run_in(
    folder: Path,
    experiment: Experiment,
    reporter: Reporter | None,
    earlier: Sequence[Event] = (),
    notes: Sequence[str] = (),
    mirror: Mirror | None = None,
) -> None:
    """Runs all trials that there are still to run.

    Raises:
        RequestError: The data or the trainable is wrong in a way that shows only now.
        RunFailed: Ray failed.
    """
    machine = available()
    concurrent = machine.concurrent_trials(experiment.resources.least, experiment.max_concurrent_trials)
    keeping = RetentionPolicy(experiment.keep, experiment.objective, lag=concurrent)
    keeper = CheckpointPruner(keeping, folder / TRIALS_FOLDER, mirror.remove if mirror else None)
    recorder = Recorder(folder, reporter, keeper, mirror.check if mirror else None)
    if recorder.torn_bytes:
        notes = [*notes, f"The journal's last line was torn ({recorder.torn_bytes} bytes): what it told is lost."]
    recorder.begin(_plan(folder, experiment, concurrent, earlier))
    coordinator: Coordinator | None = None
    try:
        with redirect_output(folder / RAY_LOG):
            if machine.is_cluster:
                check_storage(mirror.remote if mirror else folder, experiment.resources)
            side_by_side = min(concurrent, experiment.planned_trials or concurrent)
            workers = workers_at_start(machine, side_by_side, experiment.trainable)
            with ExitStack() as session:
                ray_is_there = session.enter_context(ray_session(machine, workers))  # it starts while this goes on
                coordinator = Coordinator(experiment, recorder, lessons=read_lessons(folder))
                coordinator.replay(earlier)
                data = load_data(experiment.trainable).part(experiment.fraction)
                trials = mirror.trials if mirror else str(folder / TRIALS_FOLDER)
                setting = _Setting(experiment, machine, concurrent, folder, trials, notes)
                _execute(setting, coordinator, data, session.pop_all(), ray_is_there)
    except OSError:
        if coordinator is None or coordinator.failure is None:  # else the log was on the same full disk as the journal
            raise
    finally:
        recorder.close()
    if coordinator.mistake is not None:
        raise RequestError(coordinator.mistake)
    if coordinator.failure is not None:
        raise RunFailed(f"{coordinator.failure} The run: {folder}", folder)


def _plan(folder: Path, experiment: Experiment, concurrent: int, earlier: Sequence[Event]) -> Plan:
    return Plan(
        folder=folder,
        name=folder.name,
        metric=experiment.objective.metric,
        mode=experiment.objective.mode,
        trials=experiment.planned_trials,
        max_epochs=experiment.max_epochs,
        total_epochs=experiment.total_epochs,
        time_budget_s=experiment.time_budget_s,
        max_concurrent_trials=concurrent,
        repeat=Run(folder).repeat,
        earlier=earlier,
    )


@dataclass(frozen=True)
class _Setting:
    """What is run, on which machine, how many trials side by side, where it goes, and what is told first."""

    experiment: Experiment
    machine: Machine
    concurrent: int
    folder: Path
    trials: str
    notes: Sequence[str]


def _execute(
    setting: _Setting, coordinator: Coordinator, data: Data, session: ExitStack, ray_is_there: Callable[[], Path]
) -> None:
    """Runs all trials, and ends Ray. Whatever stops them, the journal tells how it ended."""
    error: str | None = None
    try:
        with session, _interruptible(ray_is_there, coordinator) as scratch:
            _train(setting, coordinator, data, scratch)
    except (KeyboardInterrupt, SystemExit):
        coordinator.interrupt()
        raise
    except Exception as raised:
        if coordinator.failure is not None:
            return  # it had ended already; what else went wrong on the way out came of that
        error = in_one_line(f"{type(raised).__name__}: {raised}")
        raise RunFailed(f"Ray stopped the run: {error} See {setting.folder / RAY_LOG}.", setting.folder) from raised
    finally:
        coordinator.finish(error)


@contextmanager
def _interruptible(ray_is_there: Callable[[], Path], coordinator: Coordinator) -> Iterator[Path]:
    """What ``ray_is_there`` returns; from then on, signals are the coordinator's."""
    scratch = ray_is_there()
    with on_interrupt(coordinator.interrupt):
        yield scratch


def _train(setting: _Setting, coordinator: Coordinator, data: Data, scratch: Path) -> None:
    experiment, machine = setting.experiment, setting.machine
    nodes, follow = (len(machine.nodes), joined_machine) if machine.is_cluster else (None, None)
    coordinator.begin(cpus=machine.cpus, gpus=machine.gpus, max_concurrent_trials=setting.concurrent, nodes=nodes)
    for note in setting.notes:
        coordinator.note(note)
    trainable = trainable_for_ray(experiment, data, setting.trials, shares_vary=coordinator.shares.vary)
    room = FreeSlots(machine, experiment.resources.least, experiment.max_concurrent_trials, follow, coordinator.note)
    tune_trials(trainable, coordinator, room, scratch)


def _checked(run: Run) -> Run:
    """The run, unless nothing came of it."""
    history = run.history()
    failed = [trial for trial in history.trials.values() if trial.error]
    if not failed or len(failed) < len(history.trials) or history.reason == Ending.INTERRUPTED:
        return run
    first = failed[0]
    details = traceback_file(run.folder, first.trial)
    where = f"its traceback: {details}" if details.exists() else f"the log: {run.folder / RAY_LOG}"
    raise RunFailed(f"All {len(failed)} trials failed; trial {first.trial}: {first.error} ({where})", run.folder)
