"""The import of Keras, without the parts that few users need.

Private names: the modules ``keras.src.visualization`` and ``keras.src.wrappers`` (and their public names). They import
scikit-learn, with half of SciPy, and matplotlib where it is installed.
What they buy: a quarter to a third of a worker's imports (5.6 instead of 8.5 CPU s).
Without them: the modules of that name are not found, nothing is postponed, and the import takes longer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

_SELDOM_USED = frozenset(
    f"{package}.{part}"
    for package in ("keras", "keras.src", "keras._tf_keras.keras")
    for part in ("visualization", "wrappers")
)


def import_keras() -> ModuleType:
    """Import Keras, but not yet its pictures and its wrappers for scikit-learn: their first use imports those.

    Returns:
        The module ``keras``, with all of its names.
    """
    sys.meta_path = [_LazyFinder, *sys.meta_path]  # a new list: another thread may be going through the old one
    try:
        import keras
    finally:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not _LazyFinder]
    return keras  # type: ignore[no-any-return]


class _LazyFinder:
    """The finder that is asked before all others, and gives those modules a loader that waits for their first use."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the specification of a module, or None; see ``importlib.abc.MetaPathFinder``."""
        spec = PathFinder.find_spec(name, path, target) if name in _SELDOM_USED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec
