"""Kinds of models and kinds of data, for the table of what can be done with them."""

from __future__ import annotations

from tests.support.kinds import own_objects, plain, subclasses
from tests.support.kinds.registry import KINDS

CUSTOM_OBJECTS = {**subclasses.CUSTOM_OBJECTS, **own_objects.CUSTOM_OBJECTS}

__all__ = ["CUSTOM_OBJECTS", "KINDS", "plain"]
