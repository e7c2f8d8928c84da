"""The end of a process that leaves its memory to the system, if nothing in it waits for being taken apart."""

from __future__ import annotations

import gc
import io
import sys
from contextlib import suppress
from types import GeneratorType
from typing import Any

_WITH_BUFFERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
_INSTALLED = (sys.prefix, sys.base_prefix, "<frozen")
# Packages whose objects lose nothing: they free memory, or what the system frees as well. Not all of TensorFlow is
# here: a writer of summaries writes the last of them when it is taken apart.
_LOSE_NOTHING = frozenset(
    {
        *("builtins", "_io", "click", "contextlib", "filelock", "jax", "jaxlib", "joblib", "ray", "socket"),
        *("subprocess", "threading", "torch", "trainables", "search_spaces", "tune_jobs", "tensorflow.python.eager"),
    }
)


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
    return parts[0] in _LOSE_NOTHING or ".".join(parts[:3]) in _LOSE_NOTHING


def _module_of(generator: Any) -> object:
    return generator.gi_frame.f_globals.get("__name__")


def _is_closed(file: Any) -> bool:
    try:
        return bool(file.closed)
    except Exception:  # noqa: BLE001 - an object of a class of the user's
        return False
