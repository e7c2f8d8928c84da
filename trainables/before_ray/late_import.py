"""Calls of functions at the import of a module, whoever imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def call_when_imported(name: str, function: Callable[[ModuleType], object]) -> None:
    """Call a function with a module: now if it has been imported, else as soon as somebody imports it.

    Args:
        name: The name of the module.
        function: The function.

    Example:
        >>> import sys
        >>> from trainables.before_ray.late_import import call_when_imported
        >>> call_when_imported("json", lambda module: print("imported", module.__name__))
        imported json
    """
    if name in sys.modules:
        function(import_module(name))  # which waits if another thread is importing it
    else:
        finder = _Finder(name, function)
        sys.meta_path = [finder, *sys.meta_path]  # a new list: another thread may be going through the old one


class _Finder:
    """A finder that is asked before all others, and gives one module a loader that calls a function.

    Args:
        name: The name of the module.
        function: The function.
    """

    def __init__(self, name: str, function: Callable[[ModuleType], object]) -> None:
        self._name = name
        self._function = function

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of a module, or None; see ``importlib.abc.MetaPathFinder``."""
        if name != self._name:
            return None
        finders: list[Any] = sys.meta_path
        later = finders[finders.index(self) + 1 :] if self in finders else finders
        specs = (finder.find_spec(name, path, target) for finder in later if hasattr(finder, "find_spec"))
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _CallingLoader(spec.loader, self._call)
        return spec

    def _call(self, module: ModuleType) -> None:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not self]
        self._function(module)


class _CallingLoader(Loader):
    """The loader of a module, which calls a function when the module has been executed.

    Args:
        loader: The module's own loader.
        function: The function.
    """

    def __init__(self, loader: Loader, function: Callable[[ModuleType], object]) -> None:
        self._loader = loader
        self._function = function

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return the module, or None; see ``importlib.abc.Loader``."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, whose loader is its own from then on."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._function(module)
