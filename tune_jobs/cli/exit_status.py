"""The message and the exit status of a command that fails."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from tune_jobs.base.gc_pause import end_quickly, gc_seldom
from tune_jobs.base.plain_text import plain_text
from tune_jobs.cli.background_errors import background_errors_in_a_line
from tune_jobs.host.signals import termination_interrupts

FAILED = 1
WRONG_REQUEST = 2
INTERRUPTED = 130
DEBUG = "tune_jobs.debug"

_MOST_PROBLEMS = 30
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # of a stream, which has no name


class Commands(click.Group):
    """A group of commands that reports errors in sentences. ``--debug`` adds the traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command of the process, which ends as after Ctrl-C if a SIGTERM comes."""
        end_quickly()
        with termination_interrupts(), gc_seldom():
            return super().main(*args, **options)

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Read the arguments. ``--help`` and ``--version`` are answered here."""
        try:
            return super().make_context(*arguments, **extra)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            status, problems = explain(error)
            click.echo(error_message(problems), err=True)
            sys.exit(status)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            with background_errors_in_a_line(lambda: bool(ctx.meta.get(DEBUG))):
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, SystemExit):
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except BaseException as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # the reader of the output has closed it: click ends quietly
            status, problems = explain(error)
            if ctx.meta.get(DEBUG):
                click.echo(plain_text("".join(traceback.format_exception(error))), err=True)
            if not getattr(error, "is_told", False):
                click.echo(error_message(problems), err=True)
            ctx.exit(status)


def explain(error: BaseException) -> tuple[int, Sequence[str]]:
    """Return the exit status of an error, and its message as one sentence or several."""
    from search_spaces.checked import InvalidDeclaration
    from trainables.exits import described
    from tune_jobs.errors import JobFailed, RequestError, RunFailed
    from tune_jobs.host.surroundings import folder_problems
    from tune_jobs.results import JournalError

    # Importing the class imports Ray, which takes longer than telling most mistakes. Whoever raised it has imported it.
    invalid_data: Any = getattr(sys.modules.get("trainables.data"), "InvalidData", ())
    match error:
        case RequestError() | InvalidDeclaration():
            return WRONG_REQUEST, error.problems
        case _ if isinstance(error, invalid_data):
            return WRONG_REQUEST, error.problems
        case JournalError():
            return WRONG_REQUEST, [str(error)]
        case RunFailed() | JobFailed():
            return FAILED, [str(error)]
        case FileNotFoundError() if problems := folder_problems():
            return WRONG_REQUEST, problems
        case OSError(filename=str(name), strerror=str(reason)):
            return FAILED, [f"{name} cannot be used: {reason}."]
        case OSError(errno=number, strerror=str(reason)) if number in _NO_ROOM:
            return FAILED, [f"{reason}: the output cannot be written. Make room there, or write it elsewhere."]
    return FAILED, [f"{plain_text(described(error))}. This was not foreseen; --debug shows where it happened."]


def error_message(problems: Sequence[str]) -> str:
    """Return one problem as a sentence, several as a list."""
    from tune_jobs.views.text import clean

    sentences = [clean(" ".join(problem.split())) for problem in problems[:_MOST_PROBLEMS]]
    if len(sentences) == 1:
        return f"Error: {sentences[0]}"
    more = [f"  … and {len(problems) - _MOST_PROBLEMS:,} more."] if len(problems) > _MOST_PROBLEMS else []
    return "\n".join([f"Error: {len(problems)} things are wrong:", *(f"  - {text}" for text in sentences), *more])
