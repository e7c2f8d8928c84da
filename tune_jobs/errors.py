"""What can go wrong with a request or a run, told to the person who made it."""

from __future__ import annotations

from pathlib import Path


class RequestError(Exception):
    """Something was asked for wrongly; nothing was done. The command line exits with 2.

    Attributes:
        problems: One or two sentences each: name, value, rule and remedy.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RunFailed(Exception):  # noqa: N818 - what happened, as a person says it
    """A run began and could not do its work; what it did is in its folder. The command line exits with 1.

    Attributes:
        folder: The run's, where there is something in it to show; else None.
    """

    def __init__(self, problem: str, folder: Path | None = None) -> None:
        super().__init__(problem)
        self.folder = folder


class JobFailed(Exception):  # noqa: N818 - what happened, as a person says it
    """A cluster did not take a job, or the job failed, or nothing came back. The command line exits with 1."""
