"""Ray's errors: the death of a worker as a typed failure, and long messages in one line."""

from __future__ import annotations

import re
from dataclasses import replace

from tune_jobs.engine.decisions.failures import Failure, FailureCause, reported_failure
from tune_jobs.results.layout import RAY_LOG

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_HINT = (
    "The process of the worker ended without an error of Python: native code crashed, or the system killed it, as it "
    f"does when memory runs out. {RAY_LOG} may tell more."
)
_OUT_OF_MEMORY = re.compile("running low on memory|NODE_OUT_OF_MEMORY")
_NAMED_ERROR = re.compile(r"[\w.]+(Error|Exception|Interrupt): ")
# Ray has one type, ActorDiedError, for these deaths, and tells them apart only in its message.
_CAUSES_IN_WORDS = {
    "because its node has died": FailureCause.NODE_LOST,
    "because it was killed by `ray.kill`": FailureCause.KILLED,
}


def worker_failure(error: BaseException) -> Failure:
    """Return why a worker died, or why its code raised where the worker could not report it.

    The type of Ray's exception decides. Where it says nothing, the message may quote an exception of the trainable,
    which counts as one that the trainable reported.

    Args:
        error: The exception that came instead of an answer.
    """
    from ray import exceptions

    failure = reported_failure(in_one_line(str(error)))
    if isinstance(error, exceptions.OutOfMemoryError) or isinstance(error.__cause__, exceptions.OutOfMemoryError):
        return replace(failure, cause=FailureCause.HOST_MEMORY)
    if failure.cause is not FailureCause.OTHER or not isinstance(error, exceptions.RayError):
        return failure
    if isinstance(error, exceptions.RayActorError) and error.preempted:
        return replace(failure, cause=FailureCause.PREEMPTED)
    if isinstance(error, exceptions.NodeDiedError):
        return replace(failure, cause=FailureCause.NODE_LOST)
    causes = (cause for words, cause in _CAUSES_IN_WORDS.items() if words in str(error))
    cause = next(causes, FailureCause.OTHER)
    is_death = isinstance(error, exceptions.ActorDiedError | exceptions.WorkerCrashedError)
    is_unexplained = cause is FailureCause.OTHER and is_death and not _NAMED_ERROR.match(failure.text)
    return Failure(cause, f"{failure.text} {_HINT}" if is_unexplained else failure.text)


def in_one_line(message: str) -> str:
    """Return the line of Ray's message that says what happened: the last that names an error, or else the first."""
    lines = [" ".join(_COLOURS.sub("", line).split()) for line in message.splitlines()]
    errors = [line for line in lines if _NAMED_ERROR.match(line) or _OUT_OF_MEMORY.search(line)]
    return errors[-1] if errors else next(filter(None, lines), "The worker died.")
