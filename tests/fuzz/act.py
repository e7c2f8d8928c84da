"""What an input does: a call, what may be written meanwhile, and the words that tell a person what it is."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.box import Box


@dataclass(frozen=True)
class Act:
    """One thing to do in a box.

    Attributes:
        words: The description.
        work: Does it. It returns the exit status of a command, or 0, and raises what the call raises.
        writes: The files and folders that may be written.
    """

    words: str
    work: Callable[[], int]
    writes: tuple[Path, ...] = ()


def command(box: Box, *arguments: str, writes: Sequence[Path] = ()) -> Act:
    """Return the act of calling ``tune-jobs`` in this process.

    Args:
        box: The box of the input.
        arguments: The arguments.
        writes: The files and folders that the command may write, beside temporary ones.
    """

    def work() -> int:
        from tune_jobs.cli.main import main

        try:
            main.main(args=list(arguments), prog_name="tune-jobs", standalone_mode=True)
        except SystemExit as left:
            return left.code if isinstance(left.code, int) else 0 if left.code is None else 1
        return 0

    own = [box.temporary, box.home / ".cache", box.home / ".local"]
    return Act(shown(arguments), work, (*writes, *own))


def shown(arguments: Sequence[str]) -> str:
    """Return a command line as a person would type it; long arguments are cut."""
    short = [
        argument if len(argument) < 120 else f"{argument[:60]}…({len(argument)} characters)" for argument in arguments
    ]
    return "tune-jobs " + " ".join(shlex.quote(argument) for argument in short)
