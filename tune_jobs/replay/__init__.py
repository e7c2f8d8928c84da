"""Replays: a search whose trials are not trained, but read from learning curves, on a simulated clock."""

from __future__ import annotations

from tune_jobs.replay.simulation import Replay, replay
from tune_jobs.replay.world import Curve, World

__all__ = ["Curve", "Replay", "World", "replay"]
