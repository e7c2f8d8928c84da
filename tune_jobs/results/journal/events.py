"""What can happen in a run: the events that its journal tells, as records."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class Status(StrEnum):
    """How a trial stands; the order of definition is the order of unranked trials on the leaderboard."""

    RUNNING = "running"  # started, not ended
    INTERRUPTED = "interrupted"  # the run ended before it did
    COMPLETED = "completed"  # trained all its epochs, or ended itself by early stopping
    STOPPED = "stopped"  # by the scheduler
    DIVERGED = "diverged"  # its objective was NaN or infinite
    FAILED = "failed"  # its own code raised, or its worker died
    OUT_OF_MEMORY = "out of memory"  # on the GPU or in the machine


class Ending(StrEnum):
    """Why a run ended."""

    TRIALS = "all trials"
    TIME = "time budget"
    EPOCHS = "total epochs"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began, or was resumed, on these resources; `nodes` counts those of the cluster that it joined, if any."""

    EVENT: ClassVar[str] = "run_started"
    time_s: float
    cpus: float
    gpus: float
    max_concurrent_trials: int
    nodes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """A trial began, or began again after a failure or an interruption, with so many `gpus`."""

    EVENT: ClassVar[str] = "trial_started"
    time_s: float
    trial: int
    config: Mapping[str, Any]
    node: str
    gpus: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReported:
    """A trial trained one epoch, counted from 1, in `seconds`."""

    EVENT: ClassVar[str] = "epoch"
    time_s: float
    trial: int
    epoch: int
    metrics: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What would otherwise pass in silence: a checkpoint that could not be written, a line that was torn.

    It is about a trial, or about the run when `trial` is None.
    """

    EVENT: ClassVar[str] = "note"
    time_s: float
    trial: int | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded:
    """A trial ended with a status other than running, for a reason, perhaps with an error."""

    EVENT: ClassVar[str] = "trial_ended"
    time_s: float
    trial: int
    status: Status
    reason: str
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run ended, for a reason, perhaps with an error."""

    EVENT: ClassVar[str] = "run_ended"
    time_s: float
    reason: str
    error: str | None


Event = RunStarted | TrialStarted | EpochReported | Noted | TrialEnded | RunEnded
