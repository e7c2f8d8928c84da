"""What a failure was, and when so many alike mean that the code is broken: pure decisions."""

from __future__ import annotations

import re
from collections import Counter

from tune_jobs.results import Status

FAILURES = (Status.FAILED, Status.OUT_OF_MEMORY, Status.DIVERGED)
"""How a trial ends that the searcher takes for the worst that can come of a configuration."""

_MOST_CHARACTERS = 2000
_CHANCE = 1e-6
_OUT_OF_MEMORY = re.compile(
    r"^(?:[\w.]+\.)?(?:"
    r"_?(?:Array)?MemoryError\b"  # Python, NumPy
    r"|ResourceExhaustedError\b"  # TensorFlow
    r"|(?:Xla|Jax)RuntimeError: RESOURCE_EXHAUSTED"
    r"|OutOfMemoryError\b"  # PyTorch; Ray, for a task
    r"|\w*Error: .*(?:CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|OOM when allocating|_STATUS_ALLOC_FAILED)"
    r")"
    # Ray's memory monitor, for a worker. Of a worker that it knows nothing about, Ray says "killed by SIGKILL by OOM
    # killer due to high memory usage" too, among other things that may have been.
    r"|running low on memory|NODE_OUT_OF_MEMORY",
    re.DOTALL,
)
_HOST_MEMORY = re.compile(
    r"^(?:[\w.]+\.)?_?(?:Array)?MemoryError\b|low on memory|NODE_OUT_OF_MEMORY|device:CPU|by allocator (?:cpu|mklcpu)"
)
_DISK = re.compile("No space left on device|Disk quota exceeded")  # TensorFlow calls it ResourceExhaustedError, too
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d[\d.,eE+-]*|\b[0-9a-f]{16,}\b")


def status_of(error: str) -> Status:
    """How a trial ends that failed with this error: its type's name, a colon, and its message."""
    exhausted = _OUT_OF_MEMORY.search(error) and not _DISK.search(error)
    return Status.OUT_OF_MEMORY if exhausted else Status.FAILED


def is_gpu_memory(error: str) -> bool:
    """Whether it was a GPU's memory that was exhausted, so that a larger share of it may help."""
    return status_of(error) is Status.OUT_OF_MEMORY and not _HOST_MEMORY.search(error)


def kind_of(error: str) -> str:
    """The error without what differs from trial to trial: numbers, addresses, names made of them."""
    return _VARYING.sub("#", " ".join(error.split()))


def cut(text: str, most: int = _MOST_CHARACTERS) -> str:
    """As much of a text as a line of the journal should have."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class FailuresInARow:
    """Counts trials that failed one after another with the same error: when is the code broken, not the configurations?

    When there are enough of them, and no trial is sound; or when trials that failed so before are so few that chance
    would hardly make such a row (``unlikely``). In a space where half of all configurations fail alike, a row of five
    means nothing; after fifty trials of which none failed, it does.

    Out of memory does not count: that is a trait of the configuration, which the searcher learns to avoid.

    Attributes:
        row: How many trials of the present row have failed.
    """

    def __init__(self, limit: int) -> None:
        self.row = 0
        self._limit = limit
        self._kind: str | None = None
        self._sound: set[int] = set()
        self._failed: Counter[str | None] = Counter()  # before the row, by their error; None: otherwise

    def sound(self, trial: int) -> None:
        """A trial has finished an epoch."""
        self._sound.add(trial)

    def ended(self, trial: int, status: Status, error: str | None) -> bool:
        """Learns how a trial ended; says whether these were enough."""
        kind = kind_of(error) if error is not None and status is Status.FAILED else None
        if kind is None or kind != self._kind:
            self.count_anew()
        self._kind = kind
        if status in FAILURES:
            self._sound.discard(trial)
        if kind is None:
            self._failed[None] += status in FAILURES
            return False
        self.row += 1
        before = len(self._sound) + self._failed.total()
        return self.row >= self._limit and (not self._sound or unlikely(self.row, self._failed[kind], before))

    def count_anew(self) -> None:
        """The row is over: the next trial that fails begins another."""
        self._failed[self._kind] += self.row
        self._kind, self.row = None, 0


def unlikely(row: int, failed: int, trials: int) -> bool:
    """Whether chance would make a row of failures less than once in a million times.

    Args:
        row: Trials that failed alike one after another.
        failed: Trials that failed so before.
        trials: Trials before; how likely it is that one fails follows by Laplace's rule of succession.
    """
    return ((failed + 1) / (trials + 2)) ** row < _CHANCE
