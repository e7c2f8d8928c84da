"""The user's class on its way to the workers, and the search for what cannot go with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from trainables.before_ray.late_import import call_when_imported
from trainables.before_ray.tune_base import classes_of_a_run

_SHARED_BYTES = 2**20


@dataclass(frozen=True)
class SentClass:
    """A trainable on its way to the workers.

    Attributes:
        name: The name of the class.
        pickled: The class, without its large arrays.
        arrays: The bytes of arrays of a MiB or more that the class uses. Ray's object store holds them once for all
            workers of a machine, which read them there.
        folders: The folder in which the driver found each module that is not installed, by the module's name.
    """

    name: str
    pickled: bytes
    arrays: tuple[np.ndarray, ...]
    folders: Mapping[str, str]


def pack(trainable: type[Any], folders: Mapping[str, str] | None = None) -> SentClass:
    """Return a class as workers receive it, with everything that they cannot import.

    Args:
        trainable: The class.
        folders: The folder in which the driver found each module that is not installed.

    Raises:
        Exception: Something in it cannot be sent; each kind of object raises another error.
    """
    arrays: list[np.ndarray] = []

    def stays_inside(buffer: Any) -> bool:
        memory = buffer.raw()
        if memory.nbytes < _SHARED_BYTES:
            return True
        arrays.append(np.frombuffer(memory, np.uint8))
        return False

    pickled = pickler().dumps(trainable, protocol=5, buffer_callback=stays_inside)
    return SentClass(trainable.__name__, pickled, tuple(arrays), dict(folders or {}))


def unpack(sent: SentClass) -> type[Any]:
    """Return the class that was packed.

    Raises:
        Exception: This process lacks something that the class needs.
    """
    for folder in dict.fromkeys(sent.folders.values()):
        if os.pathsep in folder and folder not in sys.path:  # PYTHONPATH cannot name it
            sys.path.append(folder)
    with classes_of_a_run():
        kind: type[Any] = pickler().loads(sent.pickled, buffers=sent.arrays)
    return kind


def pickler() -> ModuleType:
    """Return the module that serialises the user's code.

    It is Ray's copy of cloudpickle where Ray is imported. Cloudpickle itself serialises the same objects, and is
    imported in a hundredth of the time. It leaves out the names of the user's files, which tracebacks need, so only
    Ray's copy makes what workers get.
    """
    if "ray.cloudpickle" in sys.modules:
        return sys.modules["ray.cloudpickle"]
    try:
        import cloudpickle
    except ImportError:
        from ray import cloudpickle
    return cloudpickle  # type: ignore[no-any-return]


def send_by_value(module: ModuleType) -> None:
    """Let workers get the code of a module itself, because they cannot import it by its name.

    Args:
        module: The module.
    """

    def register(copy: ModuleType) -> None:
        if sys.modules.get(module.__name__) is module:  # it may have failed, or been replaced, since
            copy.register_pickle_by_value(module)

    for name in ("cloudpickle", "ray.cloudpickle"):
        call_when_imported(name, register)
