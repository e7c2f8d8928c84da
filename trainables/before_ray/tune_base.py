"""A base class that becomes a trainable of Ray Tune's as soon as Ray Tune is imported.

The import of Ray Tune takes half a second in each process, and a run uses nothing of it. Whoever gives a class to
``ray.tune.Tuner`` has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from types import ModuleType
from typing import Any

from trainables.before_ray.late_import import call_when_imported

_TUNE = "ray.tune"
_IS_OF_A_RUN: ContextVar[bool] = ContextVar("is_of_a_run", default=False)


class TuneBase:
    """The base of a class that is to be a subclass of ``ray.tune.Trainable`` from the import of ``ray.tune`` on."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Import Ray Tune where its worker loads a class: the worker reads the methods before it makes an instance."""
        super().__init_subclass__(**options)
        ray = sys.modules.get("ray")
        is_derived = TuneBase not in cls.__bases__
        if is_derived and ray is not None and not _IS_OF_A_RUN.get() and getattr(ray, "is_initialized", bool)():
            import_module(_TUNE)


class Overridable:
    """A property that an attribute of the instance may hide: a user who assigns to its name meets no error.

    Args:
        get: Returns the value of the property.
    """

    def __init__(self, get: Callable[[Any], Any]) -> None:
        self._get = get

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        """Return the value of the property; the property itself if the class is asked."""
        return self if instance is None else self._get(instance)


@contextmanager
def classes_of_a_run() -> Iterator[None]:
    """Load classes for a worker of a run within the block: it never needs Ray Tune."""
    before = _IS_OF_A_RUN.set(True)
    try:
        yield
    finally:
        _IS_OF_A_RUN.reset(before)


def derive_from_tune(kind: type[Any]) -> None:
    """Make a class a subclass of ``ray.tune.Trainable``, when that is imported. Instances may hide its properties.

    Args:
        kind: A subclass of ``TuneBase``.
    """

    def derive(tune: ModuleType) -> None:
        kind.__bases__ = (TuneBase, tune.Trainable)
        for name, value in vars(tune.Trainable).items():
            if isinstance(value, property) and value.fget is not None and name not in vars(kind):
                setattr(kind, name, Overridable(value.fget))

    call_when_imported(_TUNE, derive)


def import_tune() -> None:
    """Import Ray Tune, because an instance is made as only Ray Tune makes one."""
    import_module(_TUNE)
