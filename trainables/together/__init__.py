"""Trials that train together in one process: see ``TrainedTogether``."""

from __future__ import annotations

from trainables.together.trials import TrainedTogether

__all__ = ["TrainedTogether"]
