"""A run that was submitted to a cluster, as an object that behaves like a future."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from trainables.storage.object_store import is_uri, redacted
from tune_jobs.cluster.jobs.fetch import fetch
from tune_jobs.cluster.jobs.server import Server, find_address, reach
from tune_jobs.cluster.jobs.state import JobState, state_of
from tune_jobs.errors import JobFailed, RequestError
from tune_jobs.results.run import Run

_ASK_EVERY_S = 1.0


class Job:
    """A run that was submitted to a cluster. It goes on whether or not anybody holds this object.

    Args:
        server: The cluster's Jobs server.
        job_id: The job's id there.
        notes: Notes from its submission.

    Attributes:
        server: The cluster's Jobs server.
        id: The job's id there.
        notes: Notes from its submission.

    Example:
        >>> import tune_jobs
        >>> job = tune_jobs.submit("digits_mlp", address="http://head:8265", storage="/mnt/runs", name="first")
        >>> job.wait()
        True
        >>> job.status
        'SUCCEEDED'
        >>> job.result().name
        'first'
    """

    def __init__(self, server: Server, job_id: str, notes: tuple[str, ...] = ()) -> None:
        self.server = server
        self.id = job_id
        self.notes = notes

    def __repr__(self) -> str:
        return f"Job({self.id!r} at {self.server.address})"

    def state(self) -> JobState:
        """Ask the cluster for the state of the job.

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
            raise RequestError(
                f"The job {self.id} is not one that tune-jobs submit sent: ray job status shows its state."
            )
        return state

    @property
    def status(self) -> str:
        """The current status, one of PENDING, RUNNING, STOPPED, SUCCEEDED and FAILED."""
        return self.state().status

    def done(self) -> bool:
        """Return whether the job is over, in whatever way it ended."""
        return self.state().is_over

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the job is over.

        Args:
            timeout_s: The seconds after which to give up; None: never.

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
        """Return everything that the job has printed so far."""
        self.state()
        return self.server.jobs.get_job_logs(self.id)

    def follow(self) -> Iterator[str]:
        """Yield what the job prints, piece by piece, until it is over."""
        import asyncio

        self.state()
        pieces: AsyncIterator[str] = self.server.jobs.tail_job_logs(self.id)
        with asyncio.Runner() as runner:
            while (piece := runner.run(_next(pieces))) is not None:
                yield piece

    def stop(self) -> bool:
        """Ask the job to end in good order, as Ctrl-C does: it writes checkpoints and journal, and can be resumed.

        Returns:
            Whether it was running. It ends within half a minute; ``wait`` waits for that.
        """
        return not self.state().is_over and self.server.jobs.stop_job(self.id)

    def fetch(self, storage: str | Path = "runs", *, models: bool = False) -> list[Run]:
        """Bring the job's run here, or each run of a group of repeats, even while it goes on.

        Args:
            storage: The folder of the runs here. A run that was fetched before is brought up to date.
            models: Whether to bring the checkpoints of trials, too: of the best 10, or of as many as ``keep`` says.

        Returns:
            The runs.

        Raises:
            RequestError: The storage has another run of this name, or there is more to bring than is allowed.
            JobFailed: The cluster has no run of it (yet).
        """
        if is_uri(storage):
            raise RequestError(f"A run is fetched into a folder of this machine, and {redacted(str(storage))} is none.")
        return fetch(self.server, self.state(), Path(storage), models=models)

    def exception(self, timeout_s: float | None = None) -> JobFailed | None:
        """Return the reason why the job failed, once it is over; None: it did not fail.

        Args:
            timeout_s: The seconds to wait for its end; None: no limit.

        Raises:
            TimeoutError: It is not over in time.
        """
        if not self.wait(timeout_s):
            raise TimeoutError(f"The job {self.id} is not over after {timeout_s} s.")
        state = self.state()
        return JobFailed(f"The job {self.id} failed: {state.failure}") if state.status == "FAILED" else None

    def result(self, timeout_s: float | None = None, storage: str | Path = "runs", *, models: bool = False) -> Run:
        """Return the job's run, fetched once the job is over or was stopped.

        Args:
            timeout_s: The seconds to wait for its end; None: no limit.
            storage: The folder of the runs here.
            models: Whether to bring checkpoints, too: see ``fetch``.

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
    """Return a job that was submitted before.

    Args:
        job_id: The job's id.
        address: The address of the cluster's Jobs server; None: that of RAY_API_SERVER_ADDRESS or RAY_ADDRESS.

    Raises:
        RequestError: The cluster cannot be reached, or has no such job.

    Example:
        >>> import tune_jobs
        >>> job = tune_jobs.submit("digits_mlp", address="http://head:8265", storage="/mnt/runs", name="first")
        >>> tune_jobs.find_job(job.id, address="http://head:8265").state().run
        'first'
    """
    job = Job(reach(find_address(address)), job_id)
    job.state()
    return job


def list_jobs(server: Server) -> list[JobState]:
    """Return the jobs of a cluster that are runs, the oldest first.

    Args:
        server: The cluster's Jobs server.
    """
    states = (state_of(details) for details in server.jobs.list_jobs())
    return sorted((state for state in states if state is not None), key=lambda state: state.started_s or 0)


async def _next(pieces: AsyncIterator[str]) -> str | None:
    return await anext(pieces, None)
