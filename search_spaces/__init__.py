"""Search spaces: parameters, their conditions, and the space of configurations that they span."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search_spaces.adapters.ray_tune import from_ray
    from search_spaces.checked import InvalidDeclaration
    from search_spaces.parameters import Boolean, Choice, Fixed, Float, Int, Parameter
    from search_spaces.slots import Slot
    from search_spaces.space import SearchSpace

__all__ = [
    "Boolean",
    "Choice",
    "Fixed",
    "Float",
    "Int",
    "InvalidDeclaration",
    "Parameter",
    "SearchSpace",
    "Slot",
    "from_ray",
]

_HOMES = {
    "search_spaces.adapters.ray_tune": ("from_ray",),
    "search_spaces.checked": ("InvalidDeclaration",),
    "search_spaces.parameters": ("Boolean", "Choice", "Fixed", "Float", "Int", "Parameter"),
    "search_spaces.slots": ("Slot",),
    "search_spaces.space": ("SearchSpace",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    # A declaration that checks itself needs search_spaces.checked, and not NumPy, which the spaces import.
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
