"""The interface of schedulers: a frozen declaration, and its work in one run.

A scheduler has two classes. A subclass of ``Scheduler`` is what users declare: a frozen dataclass of settings. Its
``start`` returns an object of a subclass of ``Schedule``, which decides about the trials of one run.

The coordinator of the run is the only caller. It calls all methods in the driver process, one at a time. When a run is
resumed, it calls ``report``, ``promote`` and ``end`` again for every event of the journal, in the same order; the
answers must be the same. Draw random numbers from ``np.random.default_rng([seed, trial, stream])``, with a number of
your own in ``trainables.random_streams``, never from a global state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any, ClassVar

from search_spaces import SearchSpace
from search_spaces.checked import Checked
from search_spaces.space import Config
from tune_jobs.base.rules import MAX_EPOCHS_FOR_RAY


@dataclass(frozen=True)
class Pause:
    """The answer that a trial frees its worker and waits. Its checkpoint is kept, and it has not ended.

    A schedule may answer so at the epochs of ``Scheduler.rungs`` only: there a checkpoint is written. A scheduler that
    does says so with ``Scheduler.PAUSES``.

    Attributes:
        reason: The reason, for the journal. If the trial is never promoted, its end has it, with ", not promoted".
    """

    reason: str


@dataclass(frozen=True)
class Promotion:
    """The decision that a paused trial goes on: as if it had not been paused, or with another one's weights.

    Attributes:
        trial: The number of the trial.
        reason: The reason, for the journal.
        donor: The trial whose weights and history it takes over, as they were after the same epoch; None: it keeps its
            own.
        config: Its configuration from now on, where it has a donor.
    """

    trial: int
    reason: str
    donor: int | None = None
    config: Config = field(default_factory=dict)


class Schedule(ABC):
    """A scheduler at work in one run.

    It gets losses: less is better, also where the objective is maximised. All losses are finite. One that only stops
    trials has one method, ``report``. One that pauses trials has the others, too.
    """

    @abstractmethod
    def report(self, trial: int, epoch: int, loss: float) -> str | Pause | None:
        """Decide whether a trial goes on after an epoch.

        It is called once for each epoch, after the searcher's ``report``, unless the epoch ends the trial anyway. It is
        not called while the objective has no finite value yet: the trial goes on, also at a rung.

        Args:
            trial: The trial's number.
            epoch: The number of epochs that the trial was trained for, from 1.
            loss: The trial's best loss so far, by which the leaderboard will rank it.

        Returns:
            The reason why the trial is to stop now, for the journal; a ``Pause`` if it is to wait; None if it goes on.
        """

    def next_promotion(self, *, last: bool) -> Promotion | None:  # noqa: ARG002 - most schedulers never pause
        """Return the paused trial that goes on next, or None if all go on waiting. It changes nothing.

        It is called when a worker is free, before the searcher is asked for a new configuration.

        Args:
            last: True if no trial runs and none is left to propose. After None, the paused trials end.
        """
        return None

    def add(self, trial: int, config: Config) -> None:  # noqa: B027 - most schedulers need not know
        """Take in the configuration of a trial, before its first report and whenever it gets another one.

        Only a scheduler that has ``PAUSES`` hears of it.

        Args:
            trial: The trial's number.
            config: The trial's configuration.
        """

    def promote(self, trial: int) -> None:  # noqa: B027 - most schedulers never pause
        """Take in that a paused trial goes on.

        Args:
            trial: The trial that ``next_promotion`` returned, now or before the run was resumed.
        """

    def end(self, trial: int) -> None:  # noqa: B027 - most schedulers need not know
        """Take in that a trial ended, whatever the reason. It is never to be promoted.

        Args:
            trial: The trial's number.
        """


class Scheduler(Checked):
    """A scheduler as users declare it: a frozen dataclass that checks itself.

    A scheduler whose runs can be resumed, and that ``--scheduler`` can choose, is listed in
    ``tune_jobs.schedulers.SCHEDULERS``. Then its class must be callable with the fields of ``to_json`` (without
    ``kind``) and without any.

    Attributes:
        NAME: The scheduler's name on the command line and in a run's folder.
        CHANGES_CONFIGS: True if it changes the configurations of trials that have begun.
        PAUSES: True if it pauses trials. Then a trial reports the epoch of a rung only when its checkpoint is written.

    Raises:
        InvalidDeclaration: ``problems`` returns at least one mistake.

    Example:
        >>> from dataclasses import dataclass
        >>> from tune_jobs.schedulers import Schedule, Scheduler
        >>> class ThresholdSchedule(Schedule):
        ...     def report(self, trial, epoch, loss):
        ...         return f"epoch {epoch}: a loss of {loss}" if loss > 1.0 else None
        >>> @dataclass(frozen=True)
        ... class Threshold(Scheduler):
        ...     NAME = "threshold"
        ...     def problems(self):
        ...         return []
        ...     def rungs(self, max_epochs):
        ...         return tuple(range(1, max_epochs))
        ...     def start(self, max_epochs, seed):
        ...         return ThresholdSchedule()
        >>> schedule = Threshold().start(max_epochs=10, seed=0)
        >>> schedule.report(0, 1, 1.5)
        'epoch 1: a loss of 1.5'
    """

    NAME: ClassVar[str]
    PAUSES: ClassVar[bool] = False
    CHANGES_CONFIGS: ClassVar[bool] = False

    @abstractmethod
    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return the epochs after which trials are compared; no trial is stopped before the first.

        Searchers judge trials at these epochs, and checkpoints are written after them.

        Args:
            max_epochs: The number of epochs of a trial that nothing stops.

        Returns:
            The epochs, ascending, all below ``max_epochs``.
        """

    @abstractmethod
    def start(self, max_epochs: int, seed: int) -> Schedule:
        """Return the schedule of a new run.

        Args:
            max_epochs: The number of epochs of a trial that nothing stops.
            seed: The run's seed.
        """

    def start_for(self, space: SearchSpace, trials: int | None, max_epochs: int, seed: int) -> Schedule:  # noqa: ARG002
        """Return the schedule of a new run. Override it in place of ``start`` if the schedule needs the space.

        Args:
            space: The space of the configurations.
            trials: The number of trials that the searcher proposes; None: another budget ends the run.
            max_epochs: The number of epochs of a trial that nothing stops.
            seed: The run's seed.
        """
        return self.start(max_epochs, seed)

    def fitting_problems(self, space: SearchSpace, trials: int | None, max_epochs: int) -> list[str]:  # noqa: ARG002
        """Return why it cannot schedule the trials of an experiment; nothing if it can.

        Args:
            space: The space of the configurations.
            trials: The number of trials that the searcher proposes; None: another budget ends the run.
            max_epochs: The number of epochs of a trial that nothing stops.
        """
        return self.epoch_problems(max_epochs)

    def epoch_problems(self, max_epochs: int) -> list[str]:  # noqa: ARG002 - for subclasses
        """Return why it cannot schedule trials of this many epochs; nothing if it can.

        Args:
            max_epochs: The number of epochs of a trial that nothing stops.
        """
        return []

    def for_ray(self, *, max_epochs: int = MAX_EPOCHS_FOR_RAY, seed: int = 0) -> Any:
        """Return this scheduler for ``ray.tune.TuneConfig(scheduler=…)``.

        A trial whose loss is not finite is stopped, and so is one with ``max_epochs`` reports.

        Args:
            max_epochs: The number of reports of a trial that nothing stops.
            seed: The seed of its random numbers.

        Raises:
            RequestError: It pauses trials, or cannot schedule trials of this many reports.

        Example:
            >>> from tune_jobs import ASHA
            >>> ASHA(grace_period=2).for_ray(max_epochs=20).metric is None
            True
        """
        # By its name: what Ray needs stands above schedulers, and only plain Ray Tune needs it.
        module = import_module("tune_jobs.plain_ray.schedule")
        return module.ScheduleForRay(self, max_epochs=max_epochs, seed=seed)

    def to_json(self) -> dict[str, Any]:
        """Return the declaration as JSON: ``kind``, which is ``NAME``, and the fields by name."""
        return {"kind": self.NAME, **asdict(self)}  # type: ignore[call-overload]
