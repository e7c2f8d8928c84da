"""The data of a run, as the driver has it: loaded, and sent to the workers if it can be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trainables import Data, InvalidData, KerasTrainable
from trainables.before_ray.sent_class import pickler
from trainables.data.kinds import Kind, is_source, kind_of
from trainables.hypergradient.declaration import split_problem
from tune_jobs.base.user_code import instance_of, user_code
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine

SHARED, OPENED_BY_WORKERS = "shared", "opened by each worker"

_CPUS_FOR_RAY_DATA = 1.0
_MOST_BYTES = 16 * 2**20  # of a source: what is larger is opened where it is read
_LOG = logging.getLogger(__name__)


class PendingData:
    """The data of a run until Ray has it. The driver lets go of it then: its memory is free while the trials train.

    Args:
        data: The data that the workers share; None if each opens it for itself.
    """

    def __init__(self, data: Data | None) -> None:
        self._data = data

    @property
    def way(self) -> str:
        """The way that the data takes to the workers, for the journal."""
        return OPENED_BY_WORKERS if self._data is None else SHARED

    def hand_over(self) -> Data | None:
        """Return the data, and forget it."""
        data, self._data = self._data, None
        return data


def load_data(trainable: type[KerasTrainable]) -> Data:
    """Return the data that a trainable loads, all splits of it.

    Args:
        trainable: The class.

    Raises:
        RequestError: ``load_data`` raised, or returned something else than ``Data``.
    """
    name = trainable.__name__
    with user_code(f"{name}.load_data"):
        data = instance_of(trainable).load_data()
    if not isinstance(data, Data):
        raise RequestError(
            f"{name}.load_data returned a {type(data).__name__}, but must return trainables.Data(train=(x, y), …)."
        )
    return data


def data_to_send(experiment: Experiment, tell: Callable[[str], object] = lambda _: None) -> Data | None:
    """Return the data that the workers of a run share; None if each has to open it for itself.

    Args:
        experiment: The experiment.
        tell: Is given a sentence for the journal if only a share of a source is read.

    Raises:
        RequestError: ``load_data`` raised, its data cannot be trained on, or a ``Hypergradient`` cannot measure on it.
    """
    trainable = experiment.trainable
    if trainable.opens_data_in_workers:
        _LOG.info("The data is opened by each worker, as %s says", trainable.__name__)
        if experiment.fraction < 1:
            tell(_share_of("Each split that is a source", experiment.fraction))
        return None
    try:
        whole = load_data(trainable)
        data = whole.part(experiment.fraction)
    except InvalidData as error:
        raise RequestError(*error.problems) from error
    declared = trainable.hypergradient
    can_change = trainable.prepare is not KerasTrainable.prepare
    if declared is not None and not can_change and (problem := split_problem(declared, data)):
        raise RequestError(problem)
    _LOG.info("Loaded the data: %s", data.examples)
    if experiment.fraction < 1:
        for name, split in {"Data.train": whole.train, "Data.validation": whole.validation}.items():
            if is_source(split):
                tell(_share_of(f"{name}, {kind_of(split)},", experiment.fraction))
    del whole
    stays = [name for name in ("train", "validation") if not can_be_sent(getattr(data, name))]
    if stays:
        _LOG.info("The data is opened by each worker: %s cannot be sent", ", ".join(stays))
    return None if stays else data


def _share_of(split: str, fraction: float) -> str:
    share = f"{100 * fraction:.4g} %"
    return f"{split} is read in part: a plain share of {share} of what it yields, evenly spread, whatever the classes."


def cpus_for_data(trainable: type[KerasTrainable], data: Data | None) -> float:
    """Return the CPUs that no trial may get, because tasks of Ray Data need them.

    Args:
        trainable: The class, which may say how many.
        data: The data that was loaded; None: each worker opens it.
    """
    if trainable.data_cpus is not None:
        return float(trainable.data_cpus)
    reads_ray_data = data is not None and any(kind_of(split) is Kind.RAY for split in data.splits.values())
    return _CPUS_FOR_RAY_DATA if reads_ray_data else 0


def capacity_problems(machine: Machine, resources: Resources, data_cpus: float) -> list[str]:
    """Return the reasons why no trial could start on a machine.

    Args:
        machine: The machine, or the cluster.
        resources: The resources of a trial.
        data_cpus: The CPUs that no trial may get.
    """
    if problems := machine.problems(resources):
        return problems
    if not data_cpus or not machine.without_cpus(data_cpus).problems(resources):
        return []
    return [
        f"resources: {data_cpus:g} of the {machine.cpus:g} CPUs are kept for the tasks of Ray Data (data_cpus), so no "
        f"trial with {resources.cpus:g} CPUs fits beside them, and the run would wait for ever. Ask for fewer CPUs a "
        "trial, or run on a larger machine."
    ]


@contextmanager
def ray_init_waits(wait_for_ray: Callable[[], object]) -> Iterator[None]:
    """Let ``load_data`` use Ray Data while Ray starts in another thread: what would start a second Ray waits for it.

    Args:
        wait_for_ray: Waits until Ray has started.
    """
    import ray

    start, caller = ray.init, threading.get_ident()

    def init(*args: Any, **options: Any) -> Any:
        return wait_for_ray() if threading.get_ident() == caller else start(*args, **options)

    ray.init = init
    try:
        yield
    finally:
        ray.init = start


def can_be_sent(split: Any) -> bool:
    """Return whether a split can be sent to the workers: all but data sets of TensorFlow, and what is large."""
    if split is None or not is_source(split):
        return True
    if kind_of(split) is Kind.DATASET:
        return False
    try:
        return len(pickler().dumps(split)) <= _MOST_BYTES
    except Exception:  # noqa: BLE001 - each kind of object raises another error
        return False
