"""The goal of a search: a validation accuracy, or the end of its time. It records the way to the goal."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


class Goal:
    """The goal of one search, and the epochs that the searching process has reported so far.

    Args:
        order: ``target``, ``limit_s`` and ``begun_s``, the Unix time of the command's start.
    """

    def __init__(self, order: dict[str, Any]) -> None:
        self._target, self._limit_s, self._begun_s = order["target"], order["limit_s"], order["begun_s"]
        self._epochs = 0
        self._met_s: float | None = None
        self._improvements: list[tuple[float, float]] = []

    def record(self, value: float) -> None:
        """Record an epoch's validation accuracy. Epochs after the goal do not count."""
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
        """True once the search should end."""
        return self._met_s is not None or time.time() - self._begun_s > self._limit_s

    def write(self) -> None:
        """Write the time until the target (None: it was missed) and every improvement, for time_to_accuracy.py."""
        best = max((value for _, value in self._improvements), default=0.0)
        result = {"met_s": self._met_s, "epochs": self._epochs, "best": best, "improvements": self._improvements}
        Path(sys.argv[1]).with_suffix(".out").write_text(json.dumps(result))
