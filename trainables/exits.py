"""The end of a process: errors that mean to end it, told apart by who raised them, and the memory that it leaves."""

from __future__ import annotations

import dis
import gc
import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import GeneratorType, TracebackType
from typing import Any, NoReturn

_OF_A_GRAPH = "Graph execution error"
_FRAME = re.compile(r'^ *File ".*", line \d+, in .*$', re.MULTILINE)
_NODE = re.compile(r"\[\[\{\{node .*?\}\}\]\]|\[Op:\S+\]")
_DETECTED_AT = re.compile(r"Detected at node (\S+)")
_RAISE = dis.opmap["RAISE_VARARGS"]
_MARK_OF_RAY = "ray_terminate_msg"  # on the SystemExit that Ray raises in a worker that gets a SIGTERM (ray 2.60)

_WITH_BUFFERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
_INSTALLED = (sys.prefix, sys.base_prefix, "<frozen")
# Packages whose objects lose nothing: they free memory, or what the system frees as well. Not all of TensorFlow is
# here: a writer of summaries writes the last of them when it is taken apart.
_LOSE_NOTHING = frozenset(
    {
        *("builtins", "_io", "click", "contextlib", "filelock", "jax", "jaxlib", "joblib", "ray", "socket"),
        *("subprocess", "threading", "torch", "trainables", "search_spaces", "tune_jobs"),
    }
)


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


def leave_memory() -> None:
    """Let this process leave its memory to the system when it ends: Python would take it apart, object by object.

    That takes 0.6 s after Ray, pandas and HyperOpt were imported. Plain files that nobody has closed are written out.
    If other objects have something left to do (a gzip file, a temporary file, a ``__del__`` of the user's), nothing is
    changed: Python ends them.
    """
    has_something_to_do: dict[type[Any], bool] = {}
    for each in gc.get_objects():
        kind = type(each)  # isinstance() asks the object, too, and a lazy one would import what it stands for
        if kind not in has_something_to_do:
            has_something_to_do[kind] = hasattr(kind, "__del__") and not _loses_nothing(kind.__module__)
        if kind is GeneratorType and each.gi_frame is not None:
            has_work = not (each.gi_code.co_filename.startswith(_INSTALLED) or _loses_nothing(_module_of(each)))
        else:
            has_work = has_something_to_do[kind] and not (issubclass(kind, io.IOBase) and _is_closed(each))
        if has_work:
            return
        if kind in _WITH_BUFFERS:
            with suppress(Exception):  # a closed file: Python would ignore it, too
                each.flush()
    gc.freeze()


def _loses_nothing(module: object) -> bool:
    parts = str(module).split(".")
    return parts[0] in _LOSE_NOTHING or (parts[0] == "tensorflow" and "eager" in parts)


def _module_of(generator: Any) -> object:
    return generator.gi_frame.f_globals.get("__name__")


def _is_closed(file: Any) -> bool:
    try:
        return bool(file.closed)
    except Exception:  # noqa: BLE001 - an object of a class of the user's
        return False
