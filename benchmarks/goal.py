"""What a search is run for: a validation accuracy, or the end of its time; and how it got there."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


class Goal:
    """Hears every epoch in the process that searches, and says when that has reached what it was run for.

    Args:
        asked: ``target``, ``limit_s`` and ``begun_s``, the unix time of the command's start.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self._target, self._limit_s, self._begun_s = asked["target"], asked["limit_s"], asked["begun_s"]
        self._epochs = 0
        self._met_s: float | None = None
        self._improvements: list[tuple[float, float]] = []

    def hear(self, value: float) -> None:
        """An epoch's validation accuracy is known; what comes after the goal counts no more."""
        if self.reached:
            return
        self._epochs += 1
        now_s = time.time() - self._begun_s
        if not self._improvements or value > self._improvements[-1][1]:
            self._improvements.append((now_s, value))
        if value >= self._target:
            self._met_s = now_s

    @property
    def reached(self) -> bool:
        """Whether the search is to end."""
        return self._met_s is not None or time.time() - self._begun_s > self._limit_s

    def tell(self) -> None:
        """Tells time_to_accuracy.py how long it took (None: it was not met), and every improvement on the way."""
        best = max((value for _, value in self._improvements), default=0.0)
        told = {"met_s": self._met_s, "epochs": self._epochs, "best": best, "improvements": self._improvements}
        Path(sys.argv[1]).with_suffix(".out").write_text(json.dumps(told))
