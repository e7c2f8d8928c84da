"""A run that a cluster does: what one can ask it from afar, like a future."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainables.storage.object_store import is_uri, redacted
from tune_jobs.cluster.jobs import entrypoint
from tune_jobs.cluster.jobs.server import Server, find_address, reach
from tune_jobs.errors import JobFailed, RequestError

if TYPE_CHECKING:
    from ray.job_submission import JobDetails

    from tune_jobs.results.run import Run

_ASK_EVERY_S = 1.0
_OVER = ("STOPPED", "SUCCEEDED", "FAILED")


@dataclass(frozen=True)
class JobState:
    """What a cluster tells about a job.

    Attributes:
        job: Its id.
        status: PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED.
        run: The name of its run, or of the group of its repeats.
        experiment: The name of its experiment.
        storage: The folder of the runs on the cluster.
        reference: Names the experiment where it was submitted; None: nobody knows.
        started_s: When it began, in seconds since 1970; None: not yet.
        ended_s: When it ended; None: not yet.
        exit_status: That of its command; None: it has none.
        message: What Ray says about it.
        runtime_env: What Ray has set up for it.
    """

    job: str
    status: str
    run: str
    experiment: str
    storage: str
    reference: str | None
    started_s: float | None
    ended_s: float | None
    exit_status: int | None
    message: str
    runtime_env: Mapping[str, Any]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in _OVER


class Job:
    """A run that was submitted to a cluster. It goes on whether or not anybody holds this.

    Attributes:
        server: The cluster's Jobs server.
        id: The job's id there.
        notes: What was noticed when it was submitted.
    """

    def __init__(self, server: Server, job_id: str, notes: tuple[str, ...] = ()) -> None:
        self.server = server
        self.id = job_id
        self.notes = notes

    def __repr__(self) -> str:
        return f"Job({self.id!r} at {self.server.address})"

    def state(self) -> JobState:
        """All that the cluster tells about it.

        Raises:
            RequestError: The cluster has no such job, or it is none of a run.
        """
        try:
            details = self.server.jobs.get_job_info(self.id)
        except RuntimeError as error:
            raise RequestError(
                f"The cluster at {self.server.address} has no job {self.id!r}: tune-jobs jobs lists those that it has."
            ) from error
        state = state_of(details)
        if state is None:
            raise RequestError(f"The job {self.id} is not one that tune-jobs submit sent: ray job status tells of it.")
        return state

    @property
    def status(self) -> str:
        """PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED."""
        return self.state().status

    def done(self) -> bool:
        """Whether it is over, however it ended."""
        return self.state().is_over

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until it is over.

        Args:
            timeout_s: Seconds after which to give up; None: never.

        Returns:
            Whether it is over.
        """
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.done():
            left_s = _ASK_EVERY_S if deadline_s is None else min(_ASK_EVERY_S, deadline_s - time.monotonic())
            if left_s <= 0:
                return False
            time.sleep(left_s)
        return True

    def logs(self) -> str:
        """What it has printed so far."""
        self.state()
        return self.server.jobs.get_job_logs(self.id)

    def follow(self) -> Iterator[str]:
        """What it prints, piece by piece, until it is over."""
        import asyncio

        self.state()
        pieces: AsyncIterator[str] = self.server.jobs.tail_job_logs(self.id)
        with asyncio.Runner() as runner:
            while (piece := runner.run(_next(pieces))) is not None:
                yield piece

    def stop(self) -> bool:
        """Asks it to end in good order, as Ctrl-C does: it writes checkpoints and journal, and can be resumed.

        Returns:
            Whether it was running; it ends within half a minute, which ``wait`` waits for.
        """
        return not self.state().is_over and self.server.jobs.stop_job(self.id)

    def fetch(self, storage: str | Path = "runs", *, models: bool = False) -> list[Run]:
        """Brings its run here, or each run of a group of repeats, also while it goes on.

        Args:
            storage: The folder of the runs here. A run that was fetched before is brought up to date.
            models: Bring the checkpoints of the trials that have any, too: the best 10, or as many as ``keep`` says.

        Raises:
            RequestError: The storage has another run of this name, or what comes is more than is taken.
            JobFailed: The cluster has no run of it (yet).
        """
        from tune_jobs.cluster.jobs.fetch import fetch

        if is_uri(storage):
            raise RequestError(
                f"What is fetched goes into a folder of this machine, and {redacted(str(storage))} is none."
            )
        return fetch(self.server, self.state(), Path(storage), models=models)

    def exception(self, timeout_s: float | None = None) -> JobFailed | None:
        """Why it failed, once it is over; None where it did not.

        Raises:
            TimeoutError: It is not over in time.
        """
        if not self.wait(timeout_s):
            raise TimeoutError(f"The job {self.id} is not over after {timeout_s} s.")
        state = self.state()
        return JobFailed(f"The job {self.id} failed: {failure(state)}") if state.status == "FAILED" else None

    def result(self, timeout_s: float | None = None, storage: str | Path = "runs", *, models: bool = False) -> Run:
        """Its run, fetched once it is over; also when it was stopped.

        Raises:
            JobFailed: It failed.
            TimeoutError: It is not over in time.
            RequestError: It cannot be fetched: see ``fetch``, which also brings repeats.
        """
        if (error := self.exception(timeout_s)) is not None:
            raise error
        runs = self.fetch(storage, models=models)
        if len(runs) > 1:
            raise RequestError(f"The job {self.id} has {len(runs)} runs, fetched to {storage}: call fetch() for all.")
        return runs[0]


def find_job(job_id: str, address: str | None = None) -> Job:
    """A job that was submitted before.

    Args:
        job_id: Its id.
        address: The cluster's Jobs server; None: what RAY_API_SERVER_ADDRESS or RAY_ADDRESS says.

    Raises:
        RequestError: The cluster cannot be reached, or has no such job.
    """
    job = Job(reach(find_address(address)), job_id)
    job.state()
    return job


def list_jobs(server: Server) -> list[JobState]:
    """The jobs of a cluster that are runs, the oldest first."""
    states = (state_of(details) for details in server.jobs.list_jobs())
    return sorted((state for state in states if state is not None), key=lambda state: state.started_s or 0)


def state_of(details: JobDetails) -> JobState | None:
    """What Ray tells about a job; None for one that is no run."""
    known = details.metadata or {}
    if details.submission_id is None or entrypoint.RUN not in known:
        return None
    return JobState(
        job=details.submission_id,
        status=str(details.status.value),
        run=known[entrypoint.RUN],
        experiment=known.get(entrypoint.EXPERIMENT, "-"),
        storage=known.get(entrypoint.STORAGE, "-"),
        reference=known.get(entrypoint.REFERENCE),
        started_s=None if details.start_time is None else details.start_time / 1000,
        ended_s=None if details.end_time is None else details.end_time / 1000,
        exit_status=details.driver_exit_code,
        message=details.message or "",
        runtime_env=details.runtime_env or {},
    )


def failure(state: JobState) -> str:
    """Why a job failed, in its own last words."""
    lines = [line.strip() for line in state.message.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing about why"


async def _next(pieces: AsyncIterator[str]) -> str | None:
    return await anext(pieces, None)
