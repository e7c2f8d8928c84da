"""What can go wrong with a request or a run, told to the person who made it."""

from __future__ import annotations


class RequestError(Exception):
    """Something was asked for wrongly; nothing was done. The command line exits with 2.

    Attributes:
        problems: One or two sentences each: name, value, rule and remedy.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RunFailed(Exception):  # noqa: N818 - what happened, as a person says it
    """A run began and could not do its work; what it did is in its folder. The command line exits with 1."""
