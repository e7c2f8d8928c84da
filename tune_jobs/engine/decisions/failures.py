"""The causes of failures, and the decision when identical failures mean that the code is broken."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum

from tune_jobs.base.plain_text import plain_text
from tune_jobs.results import Status

FAILED_STATUSES = (Status.FAILED, Status.OUT_OF_MEMORY, Status.DIVERGED)
"""The ends of a trial that a searcher counts as the worst possible result of a configuration."""

_MAX_CHARACTERS = 2000
_CHANCE = 1e-6
_OUT_OF_MEMORY = re.compile(
    r"^(?:[\w.]+\.)?(?:"
    r"_?(?:Array)?MemoryError\b"  # Python, NumPy
    r"|ResourceExhaustedError\b"  # TensorFlow
    r"|(?:Xla|Jax)RuntimeError: RESOURCE_EXHAUSTED"
    r"|OutOfMemoryError\b"  # PyTorch; Ray, for a task
    r"|\w*Error: .*(?:CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|OOM when allocating|_STATUS_ALLOC_FAILED)"
    r")"
    # Ray's memory monitor. Its "killed by SIGKILL by OOM killer due to high memory usage" is not among these: Ray lists
    # that as one of several possible reasons when it knows nothing about the death of a worker.
    r"|running low on memory|NODE_OUT_OF_MEMORY",
    re.DOTALL,
)
_HOST_MEMORY = re.compile(
    r"^(?:[\w.]+\.)?_?(?:Array)?MemoryError\b|low on memory|NODE_OUT_OF_MEMORY|device:CPU|by allocator (?:cpu|mklcpu)"
)
_DISK = re.compile("No space left on device|Disk quota exceeded")  # TensorFlow calls it ResourceExhaustedError, too
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d[\d.,eE+-]*|\b[0-9a-f]{16,}\b")


class FailureCause(Enum):
    """The causes that a decision, or a reader of the code, tells apart."""

    HOST_MEMORY = "the machine ran out of memory"
    GPU_MEMORY = "the trial ran out of its share of a GPU's memory"
    NODE_LOST = "the node died"
    PREEMPTED = "the provider took the node away"
    KILLED = "the worker was killed on request"
    TIMED_OUT = "the trial finished no epoch in time"
    OTHER = "anything else"


@dataclass(frozen=True)
class Failure:
    """The failure of a trial or of its worker.

    Attributes:
        cause: The cause.
        text: The name of the error, a colon and its message, in one line.
        is_shared: Whether several trials were in the worker that died, so that nobody knows which one did it.
    """

    cause: FailureCause
    text: str
    is_shared: bool = False

    @property
    def status(self) -> Status:
        """The status of a trial that ends with this failure."""
        is_memory = self.cause in (FailureCause.HOST_MEMORY, FailureCause.GPU_MEMORY)
        return Status.OUT_OF_MEMORY if is_memory else Status.FAILED


def reported_failure(error: str) -> Failure:
    """Return the failure that a worker reported as text.

    This is the only place that derives a cause from the words of an error.

    Args:
        error: The name of the exception's type, a colon, and its message.
    """
    if not _OUT_OF_MEMORY.search(error) or _DISK.search(error):
        return Failure(FailureCause.OTHER, error)
    is_host = _HOST_MEMORY.search(error)
    return Failure(FailureCause.HOST_MEMORY if is_host else FailureCause.GPU_MEMORY, error)


def error_kind(error: str) -> str:
    """Return an error without what differs between trials: numbers, addresses, and names made of them."""
    return _VARYING.sub("#", " ".join(error.split()))


def shortened(text: str, max_characters: int = _MAX_CHARACTERS) -> str:
    """Return as much of a text as a line of the journal should hold, without colours and control characters."""
    text = plain_text(text)
    return text if len(text) <= max_characters else f"{text[: max_characters - 1]}…"


class FailureStreak:
    """The decision whether a streak of identical failures means broken code.

    It does after ``limit`` failures in a row if no trial has succeeded, or if a streak that long has a probability
    below one in a million, given the earlier failure rate (``is_unlikely``). In a space where half of all
    configurations fail alike, a streak of five means nothing; after fifty trials without a failure, it does.

    Out of memory does not count: it is a property of the configuration, which the searcher learns to avoid.

    Args:
        limit: The shortest streak that can mean broken code.

    Attributes:
        length: The number of trials in the present streak.
        sound: The trials that have finished an epoch and have not failed. Whoever learns of an epoch adds its trial.
    """

    def __init__(self, limit: int) -> None:
        self.length = 0
        self._limit = limit
        self._kind: str | None = None
        self.sound: set[int] = set()
        self._failed: Counter[str | None] = Counter()  # before the streak, by error kind; None: not such a failure

    @property
    def earlier_failures(self) -> int:
        """The number of trials that failed before the present streak."""
        return self._failed.total()

    def record_end(self, trial: int, status: Status, error: str | None) -> bool:
        """Record the end of a trial.

        Returns:
            Whether the streak now means that the code is broken.
        """
        kind = error_kind(error) if error is not None and status is Status.FAILED else None
        if kind is None or kind != self._kind:
            self.reset()
        self._kind = kind
        if status in FAILED_STATUSES:
            self.sound.discard(trial)
        if kind is None:
            self._failed[None] += status in FAILED_STATUSES
            return False
        self.length += 1
        earlier = len(self.sound) + self._failed.total()
        is_long = self.length >= self._limit
        return is_long and (not self.sound or is_unlikely(self.length, self._failed[kind], earlier))

    def verdict(self, trial: int, error: str | None) -> str:
        """Return a message for a run that ends because its code is broken: the reason and the remedy.

        Args:
            trial: The last trial of the streak.
            error: Its error.
        """
        return (
            f"{self.length} trials in a row failed with the same error, the last of them trial {trial}: {error} It "
            "seems that the code is broken, and not only for some configurations: mend it and resume the run, or allow "
            "more of them with --same-failures."
        )

    def reset(self) -> None:
        """End the streak: the next trial that fails begins another."""
        self._failed[self._kind] += self.length
        self._kind, self.length = None, 0


def is_unlikely(streak: int, failed: int, trials: int) -> bool:
    """Return whether a streak of failures has a probability below one in a million.

    Args:
        streak: The number of trials that failed alike, one after another.
        failed: The number of earlier trials that failed so.
        trials: The number of earlier trials. Laplace's rule of succession gives the failure rate.
    """
    return ((failed + 1) / (trials + 2)) ** streak < _CHANCE
