"""The data of a run: splits of examples that are checked once and shared by all trials without copies."""

from __future__ import annotations

from trainables.data.divide import split
from trainables.data.invalid import InvalidData
from trainables.data.splits import Data

__all__ = ["Data", "InvalidData", "split"]
