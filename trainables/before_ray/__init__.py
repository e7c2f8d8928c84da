"""What a process does before it has imported Ray, and most commands never do: it takes a second."""

from __future__ import annotations
