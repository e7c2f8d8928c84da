"""The events of a run, each as a record: everything that a journal can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar


class Status(StrEnum):
    """The status of a trial. Unranked trials on the leaderboard have the order of definition."""

    RUNNING = "running"  # started, and has not ended
    PAUSED = "paused"  # waits at a rung for the scheduler to promote it
    INTERRUPTED = "interrupted"  # the run ended before the trial did
    COMPLETED = "completed"  # trained all its epochs, or ended itself by early stopping
    STOPPED = "stopped"  # ended by the scheduler
    DIVERGED = "diverged"  # its loss was NaN or infinite
    FAILED = "failed"  # its own code raised, it hung, or its worker died too often
    OUT_OF_MEMORY = "out of memory"  # on the GPU or in the machine
    REFUSED = "refused"  # broke a constraint before it was trained, so it was not trained


class Ending(StrEnum):
    """The reason for the end of a run."""

    TRIALS = "all trials"
    TIME = "time budget"
    EPOCHS = "total epochs"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


FINISHED = (Ending.TRIALS, Ending.TIME, Ending.EPOCHS)
"""The ends of a run that nobody interrupted, and that nothing broke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began, or was resumed, on these resources.

    Attributes:
        time_s: The time, in Unix time.
        cpus: The CPUs that trials may use.
        gpus: The GPUs that trials may use.
        max_concurrent_trials: How many trials run side by side at most.
        nodes: The number of nodes of the cluster that the run joined; None on one machine.
        data: The way in which workers got the data: "shared" or "opened by each worker"; None in the journals of older
            versions.
    """

    EVENT: ClassVar[str] = "run_started"
    time_s: float
    cpus: float
    gpus: float
    max_concurrent_trials: int
    nodes: int | None = None
    data: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """A trial began, or began again after its worker died, the run was interrupted, or it was promoted.

    Attributes:
        time_s: The time, in Unix time.
        trial: The number of the trial, from 0.
        config: The configuration.
        node: The name of the machine.
        gpus: The GPUs that the trial got; None where all trials get the same.
        heard: The number of reports and ends that the searcher had heard when it proposed the trial. A line has this
            field only if the searcher is asked again when the run is resumed.
    """

    EVENT: ClassVar[str] = "trial_started"
    time_s: float
    trial: int
    config: Mapping[str, Any]
    node: str
    gpus: float | None = None
    heard: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReported:
    """A trial trained one epoch.

    Attributes:
        time_s: The time, in Unix time.
        trial: The number of the trial.
        epoch: The number of the epoch, from 1.
        metrics: The metrics of the epoch, by Keras's names.
        seconds: The duration of the epoch.
        done: Whether the trial had nothing left to train, so that no scheduler judged the epoch. A line has this field
            only if it is true.
        batches: The number of training batches. A line has this field only if the number was not known beforehand.
    """

    EVENT: ClassVar[str] = "epoch"
    time_s: float
    trial: int
    epoch: int
    metrics: Mapping[str, float]
    seconds: float
    done: bool = False
    batches: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersMet:
    """A trial's own code asked for parameters that its configuration did not have, or did not ask for some that it had.

    Attributes:
        time_s: The time, in Unix time.
        trial: The number of the trial.
        config: The configuration that the trial has in truth. It replaces that of the trial's start.
        parameters: The parameters that the space gets by it, by name: see ``MetParameter`` in ``trainables.report``.
    """

    EVENT: ClassVar[str] = "parameters_met"
    time_s: float
    trial: int
    config: Mapping[str, Any]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A sentence for people about something that changes no decision: a checkpoint that could not be written, say.

    Attributes:
        time_s: The time, in Unix time.
        trial: The number of the trial that the note is about; None for the run.
        text: The sentence.
    """

    EVENT: ClassVar[str] = "note"
    time_s: float
    trial: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPaused:
    """A trial freed its worker at a rung. It has not ended: it may be promoted, and go on from its checkpoint.

    Attributes:
        time_s: The time, in Unix time.
        trial: The number of the trial.
        reason: The reason for the pause, for people.
        epochs: The number of epochs that the trial had reported.
    """

    EVENT: ClassVar[str] = "trial_paused"
    time_s: float
    trial: int
    reason: str
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPromoted:
    """A paused trial goes on as soon as it gets a worker; then a ``TrialStarted`` follows.

    Attributes:
        time_s: The time, in Unix time.
        trial: The number of the trial.
        reason: The reason, for people.
        donor: The trial whose weights and history it takes over, as they were after the same epoch; None: it keeps its
            own.
        config: Its configuration from now on, where it has a donor.
    """

    EVENT: ClassVar[str] = "trial_promoted"
    time_s: float
    trial: int
    reason: str
    donor: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded:
    """A trial ended.

    Attributes:
        time_s: The time, in Unix time.
        trial: The number of the trial.
        status: Any status but running and paused.
        reason: The reason for the end, for people.
        error: The error that the trial raised; None if there was none.
        epochs: The number of epochs that the trial had reported; None in the journals of older versions.
    """

    EVENT: ClassVar[str] = "trial_ended"
    time_s: float
    trial: int
    status: Status
    reason: str
    error: str | None
    epochs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run ended.

    Attributes:
        time_s: The time, in Unix time.
        reason: One of ``Ending``.
        error: The error that ended the run; None if there was none.
    """

    EVENT: ClassVar[str] = "run_ended"
    time_s: float
    reason: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A sentence about a place where the journal is no longer what was written. Only readers make it, no line holds it.

    Attributes:
        time_s: The time of the event at this place, in Unix time; 0 at the end of the journal.
        text: The sentence. It is the same whenever the journal is read.
    """

    EVENT: ClassVar[str] = "damaged"
    time_s: float
    text: str


Event = (
    RunStarted
    | TrialStarted
    | EpochReported
    | ParametersMet
    | Noted
    | TrialPaused
    | TrialPromoted
    | TrialEnded
    | RunEnded
    | Damaged
)
