"""Imports Keras without what few of its users need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

# They import scikit-learn, with half of SciPy, and matplotlib where it is installed: a quarter of a worker's imports.
_SELDOM_USED = frozenset(
    f"{package}.{part}"
    for package in ("keras", "keras.src", "keras._tf_keras.keras")
    for part in ("visualization", "wrappers")
)


def import_keras() -> ModuleType:
    """Keras, whole: its pictures and its wrappers for scikit-learn are imported by whoever first uses them."""
    sys.meta_path = [_Postponing, *sys.meta_path]  # not changed in place: another thread may be going through it
    try:
        import keras
    finally:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not _Postponing]
    return keras  # type: ignore[no-any-return]


class _Postponing:
    """Finds those modules before others do, and gives them a loader that waits."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As ``importlib.abc.MetaPathFinder`` says."""
        spec = PathFinder.find_spec(name, path, target) if name in _SELDOM_USED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
