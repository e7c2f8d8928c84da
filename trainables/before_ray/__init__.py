"""Steps before Ray is imported: most commands need no Ray, whose import takes a second."""

from __future__ import annotations
