"""A Jobs server in memory. Its jobs end at once, or when a test says so."""

from __future__ import annotations

import platform
import shlex
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from types import SimpleNamespace
from typing import Any

from tune_jobs.cluster.jobs import pack as packing
from tune_jobs.cluster.jobs.state import ClusterState
from tune_jobs.host.capacity import Node

ONE_NODE = ClusterState(platform.python_version(), (Node(4.0, 1.0, host="10.0.0.1"),), is_autoscaled=False)


@dataclass
class Status:
    value: str

    def is_terminal(self) -> bool:
        return self.value in ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass
class FakeJobs:
    """The used part of ``JobSubmissionClient``. Jobs that pack runs are done at once; others wait for the test."""

    submitted: list[dict[str, Any]] = field(default_factory=list)
    details: dict[str, SimpleNamespace] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None

    def submit_job(self, **job: Any) -> str:
        if self.error is not None:
            raise self.error
        self.submitted.append(job)
        name = f"job-{len(self.submitted)}"
        self.details[name] = SimpleNamespace(
            submission_id=name,
            status=Status("RUNNING"),
            metadata=job["metadata"],
            start_time=1_000_000,
            end_time=None,
            driver_exit_code=None,
            message=None,
            runtime_env=job["runtime_env"],
        )
        self.logs[name] = f"Running entrypoint for job {name}: {job['entrypoint']}\n"
        words = shlex.split(job["entrypoint"])
        if words[3] == "tune_jobs.cluster.jobs.pack":
            with redirect_stdout(StringIO()) as output:
                status = packing.main(words[4:])
            self.logs[name] += output.getvalue()
            self.end(name, "FAILED" if status else "SUCCEEDED")
        return name

    def end(self, name: str, status: str, exit_code: int | None = 0, message: str | None = None) -> None:
        job = self.details[name]
        job.status, job.end_time, job.driver_exit_code, job.message = Status(status), 1_065_000, exit_code, message

    def get_job_info(self, name: str) -> SimpleNamespace:
        if name not in self.details:
            raise RuntimeError("Request failed with status code 404: Job does not exist.")
        return self.details[name]

    def get_job_status(self, name: str) -> Status:
        return self.get_job_info(name).status

    def get_job_logs(self, name: str) -> str:
        return self.logs[name]

    async def tail_job_logs(self, name: str) -> Any:
        for line in self.logs[name].splitlines(keepends=True):
            yield line

    def stop_job(self, name: str) -> bool:
        self.end(name, "STOPPED", None)
        return True

    def delete_job(self, name: str) -> bool:
        del self.details[name]
        return True

    def list_jobs(self) -> list[SimpleNamespace]:
        return list(self.details.values())


@dataclass
class FakeServer:
    address: str = "http://head:8265"
    ray: str = "2.60.0"
    known: ClusterState = ONE_NODE
    jobs: FakeJobs = field(default_factory=FakeJobs)

    def cluster(self) -> ClusterState:
        return self.known
