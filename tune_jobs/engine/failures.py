"""What a failure was, and when so many alike mean that the code is broken: pure decisions."""

from __future__ import annotations

import re

from tune_jobs.results import Status

FAILURES = (Status.FAILED, Status.OUT_OF_MEMORY, Status.DIVERGED)
"""How a trial ends that the searcher takes for the worst that can come of a configuration."""

_MOST_CHARACTERS = 2000
_OUT_OF_MEMORY = re.compile(
    r"^(?:[\w.]+\.)?(?:"
    r"_?(?:Array)?MemoryError\b"  # Python, NumPy
    r"|ResourceExhaustedError\b"  # TensorFlow
    r"|(?:Xla|Jax)RuntimeError: RESOURCE_EXHAUSTED"
    r"|OutOfMemoryError\b"  # PyTorch; Ray, for a task
    r"|\w*Error: .*(?:CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|OOM when allocating)"
    r")"
    # Ray's memory monitor, for a worker. Of a worker that it knows nothing about, Ray says "killed by SIGKILL by OOM
    # killer due to high memory usage" too, among other things that may have been.
    r"|running low on memory|NODE_OUT_OF_MEMORY",
    re.DOTALL,
)
_DISK = re.compile("No space left on device|Disk quota exceeded")  # TensorFlow calls it ResourceExhaustedError, too
_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d[\d.,eE+-]*|\b[0-9a-f]{16,}\b")


def status_of(error: str) -> Status:
    """How a trial ends that failed with this error: its type's name, a colon, and its message."""
    exhausted = _OUT_OF_MEMORY.search(error) and not _DISK.search(error)
    return Status.OUT_OF_MEMORY if exhausted else Status.FAILED


def kind_of(error: str) -> str:
    """The error without what differs from trial to trial: numbers, addresses, names made of them."""
    return _VARYING.sub("#", " ".join(error.split()))


def cut(text: str, most: int = _MOST_CHARACTERS) -> str:
    """As much of a text as a line of the journal should have."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class FailuresInARow:
    """Counts trials that failed one after another with the same error.

    Out of memory does not count: that is a trait of the configuration, which the searcher learns to avoid.

    Attributes:
        limit: How many of them mean that the code is broken, not that the configurations were unlucky.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kind: str | None = None
        self._count = 0

    def ended(self, status: Status, error: str | None) -> bool:
        """Learns how a trial ended; says whether these were enough."""
        kind = kind_of(error) if error is not None and status is Status.FAILED else None
        self._count = self._count + 1 if kind == self._kind else 1
        self._kind = kind
        return kind is not None and self._count >= self.limit
