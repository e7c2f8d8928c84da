"""The progress of a trial, as its checkpoint tells it."""

from __future__ import annotations

from trainables.report import Best, Epoch
from trainables.storage.checkpoint import Snapshot


def progress_of(snapshot: Snapshot) -> tuple[int, Epoch | None, Best]:
    """Return how far a trial had come: its epochs, the measurements of the last one, and the best.

    Raises:
        KeyError, TypeError: The snapshot is damaged.
    """
    state = snapshot.state
    violation = float(state.get("best_violation", 0.0))
    best = Best(state["best_epoch"], state["best_value"], snapshot.group("best"), violation)
    return int(state["epoch"]), state["last"] and Epoch.from_json(state["last"]), best
