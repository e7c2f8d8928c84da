"""The verdict on an input: which faults its outcome has."""

from __future__ import annotations

from dataclasses import dataclass

LIMIT_S = 5.0
FAULTS = ("traceback", "not foreseen", "silent", "outside")


@dataclass(frozen=True)
class Outcome:
    """What came of an input.

    Attributes:
        number: The number of the input.
        kind: Its kind.
        words: What it is, in words.
        took_s: The seconds until there was an answer.
        cpu_s: The seconds that the process computed until then; None: there was no answer.
        status: The exit status; None: there was none.
        raised: The traceback of an error that left the call, and that no user is to expect; None: none did.
        outside: What was written outside.
        output: What was printed.
    """

    number: int
    kind: str
    words: str
    took_s: float
    cpu_s: float | None
    status: int | None
    raised: str | None
    outside: tuple[str, ...]
    output: str

    @property
    def faults(self) -> list[str]:
        """The faults, by their names in ``FAULTS``."""
        found = {
            "traceback": self.raised is not None or "Traceback (most recent call last)" in self.output,
            "not foreseen": "not foreseen" in self.output or self.status not in (0, 1, 2, 130, None),
            # Where other programs keep the machine busy, an answer takes long that needs little.
            "silent": self.took_s > LIMIT_S and (self.cpu_s is None or self.cpu_s > LIMIT_S),
            "outside": bool(self.outside),
        }
        return [name for name in FAULTS if found[name]]


def is_foreseen(error: BaseException) -> bool:
    """Return whether an error is one that a caller in Python is told of: by name, and in the words of a person."""
    from search_spaces import InvalidDeclaration
    from trainables import InvalidData, InvalidTrainable
    from tune_jobs import JobFailed, RequestError, RunFailed
    from tune_jobs.results import JournalError

    return isinstance(
        error, InvalidDeclaration | InvalidData | InvalidTrainable | JobFailed | RequestError | RunFailed | JournalError
    )
