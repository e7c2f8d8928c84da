"""The death of a worker as a typed failure, and Ray's long messages in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import ray
from ray import exceptions

from tune_jobs.engine.decisions.failures import FailureCause
from tune_jobs.engine.on_ray.errors import in_one_line, worker_failure
from tune_jobs.results import Status


def test_the_last_named_error_tells_what_happened() -> None:
    message = "\x1b[36mray::x.train()\x1b[0m\n  File a\nray.exceptions.RayTaskError: outer\nValueError: inner   one\n"
    assert in_one_line(message) == "ValueError: inner one"


def test_else_the_first_line_and_never_nothing() -> None:
    assert in_one_line("\n  The actor died.\n\tclass_name: X\n") == "The actor died."
    assert in_one_line("") == "The worker died."


def killed_by_the_memory_monitor(message: str) -> Exception:
    """As Ray Tune receives it: see ``internals``."""
    death = exceptions.RayActorError(error_msg=message)
    death.__cause__ = exceptions.OutOfMemoryError(message)
    return death


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (exceptions.OutOfMemoryError("Killed."), FailureCause.HOST_MEMORY),
        (killed_by_the_memory_monitor("Killed."), FailureCause.HOST_MEMORY),
        (exceptions.RayActorError(error_msg="Gone.", preempted=True), FailureCause.PREEMPTED),
        (exceptions.NodeDiedError("Gone."), FailureCause.NODE_LOST),
        (
            exceptions.RayActorError(error_msg="It died.\nThe actor died because its node has died. Node Id: a"),
            FailureCause.NODE_LOST,
        ),
        (
            exceptions.RayActorError(error_msg="It died.\nThe actor is dead because it was killed by `ray.kill`."),
            FailureCause.KILLED,
        ),
        (exceptions.ActorDiedError(), FailureCause.OTHER),
        (exceptions.ActorUnavailableError("lost", None), FailureCause.OTHER),
        (exceptions.WorkerCrashedError(), FailureCause.OTHER),
    ],
)
def test_the_type_of_ray_s_error_tells_the_cause(error: Exception, cause: FailureCause) -> None:
    failure = worker_failure(error)
    assert failure.cause is cause
    hint = failure.text.removeprefix(in_one_line(str(error)))
    assert bool(hint) == isinstance(error, exceptions.ActorDiedError | exceptions.WorkerCrashedError)
    assert not hint or hint.startswith(" The process of the worker ended without an error of Python")
    assert failure.status is (Status.OUT_OF_MEMORY if cause is FailureCause.HOST_MEMORY else Status.FAILED)


@pytest.mark.parametrize(
    ("raised", "cause"),
    [
        (MemoryError("no room"), FailureCause.HOST_MEMORY),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"), FailureCause.GPU_MEMORY),
        (ValueError("no"), FailureCause.OTHER),
    ],
)
def test_an_error_of_the_trainable_that_ray_quotes_is_read_like_a_reported_one(
    raised: Exception, cause: FailureCause
) -> None:
    quoted = f"Traceback (most recent call last):\n  File a\n{type(raised).__name__}: {raised}\n"
    in_task = exceptions.RayTaskError("train", quoted, raised, proctitle="ray::x", pid=1, ip="1.2.3.4")
    for error in (in_task, exceptions.ActorDiedError(cause=in_task)):
        failure = worker_failure(error)
        assert (failure.cause, failure.text) == (cause, f"{type(raised).__name__}: {raised}")


def test_a_long_message_of_the_memory_monitor_keeps_what_it_says() -> None:
    message = """The actor died unexpectedly before finishing this task.
	class_name: ImplicitFunc
The worker was killed due to the node running low on memory.
Memory on the node (IP: 10.0.0.1) was 30.2GB / 31GB (0.97), which exceeds the threshold of 0.95.
"""
    failure = worker_failure(exceptions.RayActorError(error_msg=message))
    assert (failure.cause, failure.status) == (FailureCause.HOST_MEMORY, Status.OUT_OF_MEMORY)


def test_ray_still_says_it_in_these_words() -> None:
    server = (Path(ray.__file__).parent / "core/src/ray/gcs/gcs_server").read_bytes()
    assert b"because its node has died" in server
    assert b"because it was killed by `ray.kill`" in server
