"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tune_jobs.errors import RequestError


def write_whole(output: Path, content: bytes, remedy: str = "Choose another --output.") -> None:
    """Write a file, or replace the one that exists.

    Args:
        output: The file.
        content: The content to write.
        remedy: A sentence for the error: what to do if the file cannot be written.

    Raises:
        RequestError: The file cannot be written; nothing was.
    """
    produce_whole(output, lambda path: path.write_bytes(content), remedy)


def produce_whole(output: Path, produce: Callable[[Path], object], remedy: str = "Choose another --output.") -> None:
    """Let a function write a file beside the final one, with the same suffix, and move it there when it is whole.

    Args:
        output: The final file, which is replaced if it exists.
        produce: The function. It writes the file that it is given.
        remedy: A sentence for the error: what to do if the file cannot be written.

    Raises:
        RequestError: The file cannot be written; nothing was.
    """
    try:
        _produce(output.resolve(), produce)
    except OSError as error:
        raise RequestError(f"{output} cannot be written ({error.strerror}). {remedy}") from error


def _produce(output: Path, produce: Callable[[Path], object]) -> None:
    if output.exists() and not output.is_file():  # /dev/stdout, or a pipe; a folder raises
        produce(output)
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{output.stem}.", suffix=output.suffix, dir=output.parent)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        produce(unfinished)
        mask = os.umask(0)
        os.umask(mask)
        unfinished.chmod(0o666 & ~mask)  # mkstemp's files are for their owner alone
        unfinished.replace(output)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
