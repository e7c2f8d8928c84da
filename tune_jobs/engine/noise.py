"""Keeps what Ray and TensorFlow print off the screen, and in a file."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """Sends everything that this process and its workers print into a file.

    Whoever wants to print meanwhile needs a stream of their own, made before (``os.dup``): both what Python prints
    and the file descriptors 1 and 2, which C++ code writes to, are redirected.

    Args:
        log: The file, appended to; its folder is made.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    screen = sys.stderr
    with (
        log.open("a", encoding="utf-8", buffering=1) as file,
        _descriptors_to(file.fileno()),
        redirect_stdout(file),
        redirect_stderr(file),
    ):
        _move_handlers(screen, file)
        try:
            yield
        finally:
            # Loggers made meanwhile hold the file, which is about to be closed.
            _move_handlers(file, screen)


def _move_handlers(old: object, new: object) -> None:
    for name in ("", "ray", "tensorflow", "absl"):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is old:
                handler.setStream(new)


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
