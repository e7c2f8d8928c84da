"""The state of a job, and of the cluster that it runs on, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tune_jobs.host.capacity import Node

if TYPE_CHECKING:  # it would import Ray
    from ray.job_submission import JobDetails

# The metadata that Ray keeps with a job, by which it is known as a run, or as what fetches one.
RUN, EXPERIMENT, STORAGE = "tune_jobs_run", "tune_jobs_experiment", "tune_jobs_storage"
REFERENCE, FETCHES = "tune_jobs_reference", "tune_jobs_fetches"
ORIGIN = "tune_jobs_origin"
_ENDED = ("STOPPED", "SUCCEEDED", "FAILED")


@dataclass(frozen=True)
class JobState:
    """The state of a job, as its cluster tells it.

    Attributes:
        job: The job's id.
        status: PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED.
        run: The name of its run, or of the group of its repeats.
        experiment: The name of its experiment.
        storage: The folder of the runs on the cluster.
        reference: The reference of the experiment on the machine that submitted it; None: unknown.
        origin: The mark by which that machine knows the reference for its user's own; None: unknown.
        started_s: The time of its start, in seconds since 1970; None: it has not started.
        ended_s: The time of its end; None: it has not ended.
        exit_status: The exit status of its command; None: it has none.
        message: Ray's words about it.
        runtime_env: The environment that Ray has set up for it.
    """

    job: str
    status: str
    run: str
    experiment: str
    storage: str
    reference: str | None
    origin: str | None
    started_s: float | None
    ended_s: float | None
    exit_status: int | None
    message: str
    runtime_env: Mapping[str, Any]

    @property
    def is_over(self) -> bool:
        """True when nothing more will happen."""
        return self.status in _ENDED

    @property
    def failure(self) -> str:
        """The reason why it failed, in its own last words."""
        lines = [line.strip() for line in self.message.splitlines() if line.strip()]
        return lines[-1] if lines else "it gives no reason"


def state_of(details: JobDetails) -> JobState | None:
    """Return the state of a job; None for one that is no run.

    Args:
        details: Ray's details of the job.
    """
    metadata = details.metadata or {}
    if details.submission_id is None or RUN not in metadata:
        return None
    return JobState(
        job=details.submission_id,
        status=str(details.status.value),
        run=metadata[RUN],
        experiment=metadata.get(EXPERIMENT, "-"),
        storage=metadata.get(STORAGE, "-"),
        reference=metadata.get(REFERENCE),
        origin=metadata.get(ORIGIN),
        started_s=None if details.start_time is None else details.start_time / 1000,
        ended_s=None if details.end_time is None else details.end_time / 1000,
        exit_status=details.driver_exit_code,
        message=details.message or "",
        runtime_env=details.runtime_env or {},
    )


@dataclass(frozen=True)
class ClusterState:
    """The state of a cluster, as far as a preflight needs it.

    Attributes:
        python: Its version of Python.
        nodes: The nodes that are up.
        is_autoscaled: Whether Ray may start other nodes, whose kinds it does not tell here.
    """

    python: str
    nodes: tuple[Node, ...]
    is_autoscaled: bool
