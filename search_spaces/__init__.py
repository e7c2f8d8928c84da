"""Search spaces: parameters, their conditions, and the space of configurations that they span."""

from __future__ import annotations

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
