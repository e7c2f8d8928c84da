"""Errors that mean to end the process, told apart by who raised them: the user's code, or somebody else."""

from __future__ import annotations

import dis
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn

_OF_A_GRAPH = "Graph execution error"
_FRAME = re.compile(r'^ *File ".*", line \d+, in .*$', re.MULTILINE)
_NODE = re.compile(r"\[\[\{\{node .*?\}\}\]\]|\[Op:\S+\]")
_DETECTED_AT = re.compile(r"Detected at node (\S+)")
_RAISE = dis.opmap["RAISE_VARARGS"]
_MARK_OF_RAY = "ray_terminate_msg"  # on the SystemExit that Ray raises in a worker that gets a SIGTERM (ray 2.60)


def is_of_the_code(error: BaseException) -> bool:
    """Return whether code raised an error by itself, so that the error is a failure of that code.

    ``sys.exit`` and ``raise KeyboardInterrupt`` in a user's code are failures like any other. A Ctrl-C and a SIGTERM
    are not: nobody may catch them. Python raises the ``KeyboardInterrupt`` of a Ctrl-C between two instructions, and
    not at a ``raise`` statement.

    Args:
        error: The error, caught.
    """
    if isinstance(error, KeyboardInterrupt):
        return _is_at_a_raise_statement(error.__traceback__)
    return not (isinstance(error, SystemExit) and hasattr(error, _MARK_OF_RAY))


@contextmanager
def exits_raised() -> Iterator[None]:
    """Let ``os._exit`` raise a SystemExit within a block, for this thread of this process.

    It ends a process without a word. A worker that ends so looks like one that crashed, so its trial would be tried
    again and again.
    """
    end, process, thread = os._exit, os.getpid(), threading.get_ident()

    def raise_exit(status: int) -> NoReturn:
        if (os.getpid(), threading.get_ident()) != (process, thread):
            end(status)  # a process that the code has forked
        raise SystemExit(f"os._exit({status}) was called")

    os._exit = raise_exit
    try:
        yield
    finally:
        os._exit = end


def described(error: BaseException) -> str:
    """Return the name of an error's type and its message, in one line."""
    name, message = type(error).__name__, message_of(error)
    return f"{name}: {message}" if message else name


def message_of(error: BaseException) -> str:
    """Return the message of an error in one line. An error of the user's may be unable to tell it."""
    try:
        return " ".join(_without_frames(str(error)).split())
    except Exception:  # noqa: BLE001 - its __str__ may raise anything
        return "it has no message that can be told"


def _without_frames(text: str) -> str:
    """Return a text without the lines of code that TensorFlow puts before what went wrong in a graph."""
    if not text.startswith(_OF_A_GRAPH):
        return text
    *_, reason = _FRAME.split(text)
    reason = _NODE.sub("", reason).strip()
    node = _DETECTED_AT.search(text)
    return f"{reason} (in the graph, at {node[1]})" if reason and node else text


def _is_at_a_raise_statement(traceback: TracebackType | None) -> bool:
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_code[traceback.tb_lasti] == _RAISE
