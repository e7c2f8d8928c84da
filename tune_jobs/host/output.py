"""Standard output and standard error while a run goes on: the output of Ray and TensorFlow goes into a file.

What stands in their place may be any object with ``write``, as notebooks, GUIs and log collectors have it, or None.
Afterwards streams and handlers are what they were. Whatever still holds a stream of the run writes to the real one.
"""

from __future__ import annotations

import fcntl
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import IO, Any, TextIO

from trainables.storage.own_files import NotOurs, open_own, place_problem
from tune_jobs.errors import RequestError

_NOISY = ("ray", "tensorflow", "absl")
_FIRST_FREE = 3  # below are the standard descriptors, which may be closed: a file must not get one of their numbers


class StandIn(io.TextIOBase):
    """A stream in place of another one: it writes into a file, and once it is released, to the other stream.

    Args:
        file: The file.
        stream: The stream whose place it takes: an object with ``write``, or None.
        is_log: Whether the file is a log of a run.

    Attributes:
        is_log: As given.
    """

    def __init__(self, file: IO[str], stream: Any, *, is_log: bool = False) -> None:
        self._target: Any = file
        self._stream = stream
        self.is_log = is_log

    def release(self) -> None:
        """Write to the other stream from now on. Handlers that were made meanwhile may hold this object for ever."""
        self._target = self._stream

    def write(self, text: str) -> int:
        """Write a text. It is lost where there is no stream."""
        if self._target is not None:
            self._target.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if it can be flushed."""
        flush(self._target)

    def close(self) -> None:
        """Flush: whoever made the stream closes it."""
        self.flush()

    def fileno(self) -> int:
        """Return the descriptor below.

        Raises:
            UnsupportedOperation: There is none.
        """
        number = descriptor_of(self._target)
        if number is None:
            raise io.UnsupportedOperation("fileno")
        return number

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        isatty = getattr(self._target, "isatty", None)
        return bool(isatty()) if isatty is not None else False

    def writable(self) -> bool:
        """Return True."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # an attribute in typeshed
        """The stream's encoding."""
        return getattr(self._target, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """The stream's way with characters that it cannot encode."""
        return getattr(self._target, "errors", None)

    @property
    def buffer(self) -> Any:
        """The stream of bytes below, if there is one."""
        return self._target.buffer


def is_redirected() -> bool:
    """Return whether Python's standard error goes into a log of a run now."""
    return isinstance(sys.stderr, StandIn) and sys.stderr.is_log


@contextmanager
def redirect_output(log: Path) -> Iterator[None]:
    """Send everything that this process and its workers print into a file.

    Both Python's streams and the file descriptors 1 and 2, which C++ code writes to, are redirected. Code that
    prints meanwhile needs a stream of its own, made before (``os.dup``).

    Args:
        log: The file. It is appended to, and its folder is created.

    Raises:
        RequestError: A link, a folder or a device is in its place.
    """
    if problem := place_problem(log.parent, is_folder=True):
        raise RequestError(f"The log {log} cannot be written: {log.parent}: {problem}. Move it away.")
    log.parent.mkdir(parents=True, exist_ok=True)
    with open_log(log) as file:
        outputs, errors = StandIn(file, sys.stdout, is_log=True), StandIn(file, sys.stderr, is_log=True)
        try:
            with (
                _descriptors_to(file.fileno()),
                _handlers_moved({id(sys.stdout): outputs, id(sys.stderr): errors}, _NOISY),
                redirect_stdout(outputs),
                redirect_stderr(errors),
            ):
                yield
        finally:
            outputs.release()
            errors.release()


def open_log(log: Path) -> TextIO:
    """Open a log of a run for appending. Its descriptor is none of the standard ones, even where those are closed.

    Raises:
        RequestError: A link, a folder or a device is in its place.
    """
    try:
        descriptor = open_own(log, os.O_WRONLY | os.O_APPEND)
    except NotOurs as error:
        raise RequestError(f"The log {log} cannot be written: {error.strerror}. Move it away.") from error
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    finally:
        os.close(descriptor)
    return os.fdopen(high, "a", encoding="utf-8", errors="backslashreplace", buffering=1)


@contextmanager
def drop_native_stderr() -> Iterator[None]:
    """Drop what C++ code writes to file descriptor 2, as TensorFlow does when it is imported; Python's own stays."""
    flush(sys.stderr)
    try:
        kept = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    except OSError:  # it is closed: nothing can be written to it
        yield
        return
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    with os.fdopen(kept, "w", encoding=encoding, errors="backslashreplace", buffering=1) as screen:
        stand_in = StandIn(screen, sys.stderr)
        moved = {id(sys.stderr): stand_in} if descriptor_of(sys.stderr) == 2 else {}
        with (
            _handlers_moved(moved),
            redirect_stderr(stand_in if moved else sys.stderr),
            Path(os.devnull).open("w") as nowhere,
        ):
            os.dup2(nowhere.fileno(), 2)
            try:
                yield
            finally:
                flush(screen)
                os.dup2(screen.fileno(), 2)
                stand_in.release()


def flush(stream: Any) -> None:
    """Flush a stream that may be any object with ``write``, and may be closed already."""
    with suppress(AttributeError, ValueError, OSError):
        stream.flush()


def descriptor_of(stream: Any) -> int | None:
    """Return the file descriptor below a stream; None where there is none."""
    try:
        number = stream.fileno()
    except (AttributeError, ValueError, OSError):  # OSError: io.UnsupportedOperation is one
        return None
    return number if isinstance(number, int) else None


@contextmanager
def _handlers_moved(streams: dict[int, StandIn], names: tuple[str, ...] | None = None) -> Iterator[None]:
    """Let handlers that write to some streams write to others within the block.

    A stream that has no descriptor, as in a notebook, is not reached by redirecting descriptors.

    Args:
        streams: The other stream, by the id of the one that it replaces.
        names: The names of the loggers; None: all.
    """
    moved = [
        (handler, handler.stream, streams[id(handler.stream)])
        for handler in _stream_handlers(names)
        if id(handler.stream) in streams
    ]
    for handler, _, other in moved:
        handler.stream = other  # setStream would flush the old stream, which may be closed
    try:
        yield
    finally:
        for handler, stream, other in moved:
            if handler.stream is other:
                handler.stream = stream


def _stream_handlers(names: tuple[str, ...] | None) -> list[Any]:
    loggers = [logging.getLogger(), *logging.root.manager.loggerDict.values()]
    chosen = loggers if names is None else [logging.root.manager.loggerDict.get(name) for name in names]
    handlers = {id(handler): handler for logger in chosen for handler in getattr(logger, "handlers", ())}
    return [
        handler
        for handler in handlers.values()
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)
    ]


@contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    _flush_all()
    kept: dict[int, int | None] = {}
    for descriptor in (1, 2):
        try:
            kept[descriptor] = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
        except OSError:  # it is closed, as in a service
            kept[descriptor] = None
        os.dup2(target, descriptor)
    try:
        yield
    finally:
        _flush_all()  # what was printed to the old streams meanwhile belongs into the log
        for descriptor, original in kept.items():
            if original is None:
                os.close(descriptor)
            else:
                os.dup2(original, descriptor)
                os.close(original)


def _flush_all() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        flush(stream)
