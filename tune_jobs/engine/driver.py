"""The driver of a run: it puts coordinator, recorder, data and Ray together, and runs all trials."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tune_jobs.engine.data import PendingData, capacity_problems, cpus_for_data, data_to_send, ray_init_waits
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.on_ray.errors import in_one_line
from tune_jobs.engine.on_ray.free_slots import FreeSlots, trials_side_by_side
from tune_jobs.engine.on_ray.local import variables_of_first_workers
from tune_jobs.engine.on_ray.loop import Loop
from tune_jobs.engine.on_ray.nodes import has_room_beside, joined_machine
from tune_jobs.engine.on_ray.session import available_machine, ray_session
from tune_jobs.engine.on_ray.shared_loop import SharedLoop
from tune_jobs.engine.on_ray.shared_workers import SharedWorkers
from tune_jobs.engine.on_ray.storage_check import check_storage
from tune_jobs.engine.on_ray.workers import workers_for
from tune_jobs.engine.run_folder.callbacks import Callback
from tune_jobs.engine.run_folder.recorder import CheckpointPruner, Recorder
from tune_jobs.engine.run_folder.reporter import Plan, Reporter, default_reporter, told_at_once
from tune_jobs.engine.run_folder.warm_start_file import read_lessons
from tune_jobs.engine.run_folder.working_folder import WorkingFolder
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.host.capacity import Machine, requested_amounts
from tune_jobs.host.output import redirect_output
from tune_jobs.host.sharing import shared_machine
from tune_jobs.host.signals import held_back, on_interrupt
from tune_jobs.results import Event
from tune_jobs.results.layout import RAY_LOG, TRIALS_FOLDER, WARM_START_FILE
from tune_jobs.results.run import Run

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Session:
    """Everything that is known before one session of a run begins.

    Attributes:
        experiment: The experiment.
        folder: The folder in which the driver works.
        machine: The machine, or the cluster.
        data_cpus: The CPUs of it that no trial gets.
        concurrent: The number of trials that run side by side at most.
        earlier: The events of earlier sessions.
    """

    experiment: Experiment
    folder: WorkingFolder
    machine: Machine
    concurrent: int
    earlier: Sequence[Event]
    data_cpus: float = 0


def drive(
    folder: WorkingFolder,
    experiment: Experiment,
    reporter: Reporter | None,
    *,
    earlier: Sequence[Event] = (),
    notes: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
) -> None:
    """Run all trials that are still to be run, and write the journal.

    Args:
        folder: The run's folder, locked.
        experiment: The experiment, with the budgets that hold from now on.
        reporter: The reporter that shows the progress; None: nobody watches.
        earlier: The events of earlier sessions, if the run is resumed.
        notes: Sentences for the journal, written when the run begins.
        callbacks: Objects that are told every event, and whose errors are notes.

    Raises:
        RequestError: The data or the trainable is wrong in a way that shows only now.
        RunFailed: Ray failed, the code is broken, or the journal could not be written.
    """
    machine = available_machine()
    concurrent = _side_by_side(machine, experiment)
    session = _Session(experiment, folder, machine, concurrent, earlier)
    _log_capacity(session)
    recorder = _recorder(session, reporter or default_reporter(), callbacks)
    notes = [*notes, *([] if earlier else experiment.searcher.notes(experiment.space))]
    if recorder.torn_bytes:
        notes.append(f"The journal's last line was torn ({recorder.torn_bytes} bytes): the event in it is lost.")
    plan = _plan(session)
    recorder.begin(plan)
    coordinator: Coordinator | None = None
    try:
        with redirect_output(folder.path / RAY_LOG):
            if machine.is_cluster:
                check_storage(folder.shared, experiment.resources)
            with ExitStack() as stack:
                # Ray starts in the background while the journal is replayed and the data is loaded.
                with (
                    held_back()
                ):  # a signal between two steps of it would leave threads of Ray's to a process that ends
                    wait_for_ray = stack.enter_context(ray_session(machine, _worker_variables(session), notes.append))
                coordinator = Coordinator(experiment, recorder, plan.clock, _lessons(folder.path))
                coordinator.replay(earlier)
                with told_at_once(reporter):
                    with ray_init_waits(wait_for_ray):
                        loaded = data_to_send(experiment, notes.append)
                    session = _with_cpus_for_data(session, cpus_for_data(experiment.trainable, loaded))
                data = PendingData(loaded)
                del loaded
                _execute(session, coordinator, data, notes, stack.pop_all(), wait_for_ray)
    except OSError:
        # If the coordinator has failed already, this is the log on the full disk that the journal is on, too.
        if coordinator is None or coordinator.failure is None:
            raise
    finally:
        recorder.close()
    if coordinator.mistake is not None:
        raise RequestError(coordinator.mistake)
    if coordinator.failure is not None:
        raise RunFailed(f"{coordinator.failure} The run: {folder.path}", folder.path)


def _with_cpus_for_data(session: _Session, cpus: float) -> _Session:
    """Return the session with CPUs that are kept free of trials.

    Raises:
        RequestError: No trial fits beside them.
    """
    experiment, machine = session.experiment, session.machine
    if problems := capacity_problems(machine, experiment.resources, cpus):
        raise RequestError(*problems)
    concurrent = _side_by_side(machine.without_cpus(cpus), experiment)
    return replace(session, concurrent=concurrent, data_cpus=cpus)


def _log_capacity(session: _Session) -> None:
    machine, experiment = session.machine, session.experiment
    resources = experiment.resources.minimum
    _LOG.info(
        "At most %d trials run side by side: %d fit on %d nodes with %g CPUs and %g GPUs; a trial gets at least %s; "
        "max_concurrent_trials is %s",
        session.concurrent,
        machine.trials_that_fit(resources),
        len(machine.nodes),
        machine.cpus,
        machine.gpus,
        requested_amounts(resources),
        experiment.max_concurrent_trials,
    )


def _recorder(session: _Session, reporter: Reporter | None, callbacks: Sequence[Callback]) -> Recorder:
    experiment, folder, mirror = session.experiment, session.folder, session.folder.mirror
    policy = RetentionPolicy(experiment.keep, experiment.goal, lag=session.concurrent)
    pruner = CheckpointPruner(policy, folder.path / TRIALS_FOLDER, mirror.remove if mirror else None)
    return Recorder(folder.path, reporter, pruner, mirror.check if mirror else None, callbacks)


def _plan(session: _Session) -> Plan:
    experiment, folder = session.experiment, session.folder.path
    return Plan(
        folder=folder,
        name=folder.name,
        metric=experiment.objective.metric,
        mode=experiment.objective.mode,
        trials=experiment.planned_trials,
        max_epochs=experiment.max_epochs,
        total_epochs=experiment.total_epochs,
        time_budget_s=experiment.time_budget_s,
        max_concurrent_trials=session.concurrent,
        repeat=Run(folder).repeat,
        constraints=experiment.goal.constraints,
        earlier=session.earlier,
    )


def _worker_variables(session: _Session) -> dict[str, str]:
    experiment = session.experiment
    trials_at_once = min(session.concurrent, experiment.planned_trials or session.concurrent)
    workers_at_once = -(-trials_at_once // experiment.together)
    return variables_of_first_workers(session.machine, workers_at_once, experiment.trainable)


def _lessons(folder: Path) -> Sequence[Event]:
    return read_lessons(folder) if (folder / WARM_START_FILE).exists() else []


def _execute(
    session: _Session,
    coordinator: Coordinator,
    data: PendingData,
    notes: Sequence[str],
    stack: ExitStack,
    wait_for_ray: Callable[[], object],
) -> None:
    """Run all trials, and end Ray. Whatever stops them, the journal says how the run ended."""
    error: str | None = None
    folder = session.folder.path
    try:
        with stack, _interruptible(wait_for_ray, coordinator):
            _train(session, coordinator, data, notes)
    except (KeyboardInterrupt, SystemExit):
        coordinator.interrupt()
        raise
    except Exception as raised:
        if coordinator.failure is not None:
            return  # the run had ended already, and this error is a consequence
        error = in_one_line(f"{type(raised).__name__}: {raised}")
        raise RunFailed(f"Ray stopped the run: {error} See {folder / RAY_LOG}.", folder) from raised
    finally:
        coordinator.finish(error)


@contextmanager
def _interruptible(wait_for_ray: Callable[[], object], coordinator: Coordinator) -> Iterator[None]:
    """Wait for Ray; from then on, signals interrupt the coordinator."""
    wait_for_ray()
    with on_interrupt(coordinator.interrupt):
        yield


def _train(session: _Session, coordinator: Coordinator, data: PendingData, notes: Sequence[str]) -> None:
    experiment, machine = session.experiment, session.machine
    kept = session.data_cpus
    nodes = len(machine.nodes) if machine.is_cluster else None
    follow = (lambda: joined_machine().without_cpus(kept)) if machine.is_cluster else None
    coordinator.begin(
        cpus=machine.cpus,
        gpus=machine.gpus,
        max_concurrent_trials=session.concurrent,
        nodes=nodes,
        data=data.way,
    )
    for note in notes:
        coordinator.note(note)
    workers = workers_for(experiment, data.hand_over(), session.folder.trials, is_cluster=machine.is_cluster)
    if kept:
        coordinator.note(f"{kept:g} of {machine.cpus:g} CPUs get no trial: the tasks of Ray Data need them.")
    resources, most = experiment.resources.minimum, experiment.max_concurrent_trials
    has_room = partial(has_room_beside, resources=resources)
    together = experiment.together
    whole = -(-session.concurrent // together)
    with nullcontext() if machine.is_cluster else shared_machine(machine.cpus, resources.cpus, whole) as share:
        slots = FreeSlots(
            machine.without_cpus(kept), resources, most, follow, coordinator.note, share=share, together=together
        )
        gpus = experiment.resources.first_gpus
        if together == 1:
            Loop(coordinator, workers, slots.count, gpus, has_room).run()
        else:
            SharedLoop(coordinator, SharedWorkers(workers, together), slots.count, gpus, has_room).run()


def _side_by_side(machine: Machine, experiment: Experiment) -> int:
    resources, most = experiment.resources.minimum, experiment.max_concurrent_trials
    return trials_side_by_side(machine, resources, most, experiment.together)
