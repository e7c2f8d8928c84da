"""The errors of a request, of a run and of a job. Their messages are written for the person who made the request."""

from __future__ import annotations

from pathlib import Path


class RequestError(Exception):
    """An error in a request, such as a wrong value or a missing run. Nothing was done. The command line exits with 2.

    Attributes:
        problems: All problems of the request, in one or two sentences each: name, value, rule and remedy.
        is_told: Whether the person has read them already, while the run was still being undone.

    Example:
        >>> import tune_jobs
        >>> try:
        ...     tune_jobs.find_job("raysubmit_1", address="head:8265")
        ... except tune_jobs.RequestError as error:
        ...     print(error.problems[0])
        The value of --address is 'head:8265', but must be the address of a Jobs server, such as http://head:8265: ...
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.is_told = False


class RunFailed(Exception):  # noqa: N818 - what happened, as a person says it
    """An error that ended a run. The work until then is in the run's folder. The command line exits with 1.

    Args:
        problem: The reason, as one or two sentences.
        folder: The run's folder, if there is something in it to show; else None.

    Attributes:
        folder: The run's folder, if there is something in it to show; else None.

    Example:
        >>> from pathlib import Path
        >>> import tune_jobs
        >>> try:
        ...     raise tune_jobs.RunFailed("All 50 trials failed.", Path("runs/first"))
        ... except tune_jobs.RunFailed as error:
        ...     print(f"{error} See {error.folder}.")
        All 50 trials failed. See runs/first.
    """

    def __init__(self, problem: str, folder: Path | None = None) -> None:
        super().__init__(problem)
        self.folder = folder


class JobFailed(Exception):  # noqa: N818 - what happened, as a person says it
    """An error of a job: a cluster did not take it, or it failed, or its run is missing. The command line exits with 1.

    Example:
        >>> import tune_jobs
        >>> try:
        ...     raise tune_jobs.JobFailed("The job raysubmit_1 failed: Error: no budget")
        ... except tune_jobs.JobFailed as error:
        ...     print(error)
        The job raysubmit_1 failed: Error: no budget
    """
