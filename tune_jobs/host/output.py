"""Standard output and standard error while a run goes on: the output of Ray and TensorFlow goes into a file."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO


@contextmanager
def redirect_output(log: Path) -> Iterator[None]:
    """Send everything that this process and its workers print into a file.

    Both Python's streams and the file descriptors 1 and 2, which C++ code writes to, are redirected. Code that
    prints meanwhile needs a stream of its own, made before (``os.dup``).

    Args:
        log: The file. It is appended to, and its folder is created.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    screen = sys.stderr
    with (
        log.open("a", encoding="utf-8", buffering=1) as file,
        _descriptors_to(file.fileno()),
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        _point_loggers_at(file)
        try:
            yield
        finally:
            # Loggers that were created meanwhile hold the file, which is about to be closed.
            _point_loggers_at(screen)


@contextmanager
def drop_native_stderr() -> Iterator[None]:
    """Drop what C++ code writes to file descriptor 2, as TensorFlow does when it is imported; Python's own stays."""
    sys.stderr.flush()
    with (
        os.fdopen(os.dup(2), "w", buffering=1) as screen,
        Path(os.devnull).open("w") as nowhere,
        redirect_stderr(screen),
    ):
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(screen.fileno(), 2)


def _point_loggers_at(stream: TextIO) -> None:
    for name in ("", "ray", "tensorflow", "absl"):
        for handler in logging.getLogger(name).handlers:
            if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
                continue
            if handler.stream.closed:
                handler.stream = stream  # setStream would flush the closed stream, and fail
            elif _has_descriptor(handler.stream):
                handler.setStream(stream)


def _has_descriptor(stream: TextIO) -> bool:
    """Return whether a stream is the screen or a file, and not a buffer in which somebody collects logs."""
    try:
        stream.fileno()
    except OSError:
        return False
    return True


@contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {descriptor: os.dup(descriptor) for descriptor in (1, 2)}
    for descriptor in kept:
        os.dup2(target, descriptor)
    try:
        yield
    finally:
        for descriptor, original in kept.items():
            os.dup2(original, descriptor)
            os.close(original)
