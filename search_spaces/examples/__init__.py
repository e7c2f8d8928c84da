"""Search spaces of the shipped experiments, one in each file."""

from __future__ import annotations
