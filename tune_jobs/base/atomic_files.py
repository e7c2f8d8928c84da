"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from trainables.storage.own_files import NotOurs, current_umask, place_problem
from tune_jobs.errors import RequestError


def write_whole(
    output: Path, content: bytes, remedy: str = "Choose another --output.", *, is_own: bool = False
) -> None:
    """Write a file, or replace the one that exists.

    Args:
        output: The file.
        content: The content to write.
        remedy: A sentence for the error: what to do if the file cannot be written.
        is_own: Whether the file is ours to make, and not one that a person has named: then no link is followed.

    Raises:
        RequestError: The file cannot be written; nothing was.
    """
    produce_whole(output, lambda path: path.write_bytes(content), remedy, is_own=is_own)


def produce_whole(
    output: Path,
    produce: Callable[[Path], object],
    remedy: str = "Choose another --output.",
    *,
    is_own: bool = False,
) -> None:
    """Let a function write a file beside the final one, with the same suffix, and move it there when it is whole.

    Args:
        output: The final file, which is replaced if it exists.
        produce: The function. It writes the file that it is given.
        remedy: A sentence for the error: what to do if the file cannot be written.
        is_own: As for ``write_whole``.

    Raises:
        RequestError: The file cannot be written; nothing was.
    """
    try:
        place = output if is_own else output.resolve()
    except RuntimeError as error:  # Python's, for a link that leads to itself
        raise RequestError(f"{output} cannot be written (its link leads to itself). {remedy}") from error
    try:
        if is_own and (problem := place_problem(output)) is not None:
            raise NotOurs(errno.EEXIST, problem, str(output))
        _produce(place, output.suffix, produce)
    except OSError as error:
        raise RequestError(f"{output} cannot be written ({error.strerror}). {remedy}") from error


def _produce(output: Path, suffix: str, produce: Callable[[Path], object]) -> None:
    if output.is_dir():  # a library might put its suffix after the name, and write a file beside the folder
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(output))
    if output.exists() and not output.is_file():  # /dev/stdout, or a pipe
        _check_read(output)
        produce(output)
        return
    # A link may lead to a file of another suffix, by which a library would choose another format.
    descriptor, name = tempfile.mkstemp(prefix=f".{output.stem}.", suffix=suffix, dir=output.parent)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        produce(unfinished)
        unfinished.chmod(0o666 & ~current_umask())  # mkstemp's files are for their owner alone
        unfinished.replace(output)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _check_read(output: Path) -> None:
    """Raise OSError if a file is a pipe that nobody reads: to open it would take for ever."""
    if not output.is_fifo():
        return
    try:
        os.close(os.open(output, os.O_WRONLY | os.O_NONBLOCK))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "nobody reads this pipe", str(output)) from error
        raise
