"""A thread that writes checkpoints beside the training, which waits only for the copy in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from trainables.storage.checkpoint import Snapshot
from trainables.storage.retry import retry_for_a_minute
from trainables.storage.store import CheckpointStore


@dataclass(frozen=True)
class Pending:
    """A checkpoint that is to be written.

    Attributes:
        trial: The number of the trial.
        store: The trial's checkpoints.
        snapshot: The trial's state; nothing else may change it from now on.
        architecture: The description of the model; None if Keras cannot describe it.
    """

    trial: int
    store: CheckpointStore
    snapshot: Snapshot
    architecture: str | None


class BackgroundWriter:
    """A writer of one checkpoint at a time, on a thread that lives as long as there is one to write.

    Only the newest of the checkpoints that wait is written, so at most two are in memory. A storage that refuses a
    checkpoint is given a minute. Then the trial goes on without the checkpoint, and a note says so, once per trial.
    The storage gets no second minute until it takes a checkpoint again: a disk that stays full must not hold up
    every trial.

    Args:
        sleep: Waits for a number of seconds before a refused checkpoint is tried again.
    """

    def __init__(self, sleep: Callable[[float], object] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._waiting: Pending | None = None
        self._refused_trial: int | None = None
        self._notes: list[tuple[int, str]] = []

    def write(self, pending: Pending) -> None:
        """Write a checkpoint soon, in place of one that still waits."""
        with self._lock:
            self._waiting = pending
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Return when everything is written or given up, or when the time is over.

        Args:
            timeout_s: The longest time to wait; None: for ever.
        """
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def take_notes(self) -> list[tuple[int, str]]:
        """Return the notes since the last call: pairs of a trial's number and a line about its checkpoint."""
        with self._lock:
            notes, self._notes = self._notes, []
        return notes

    def _work(self) -> None:
        while (pending := self._next()) is not None:
            self._save(pending)

    def _next(self) -> Pending | None:
        with self._lock:
            pending, self._waiting = self._waiting, None
            if pending is None:
                self._thread = None
        return pending

    def _save(self, pending: Pending) -> None:
        latest = pending

        def attempt() -> None:
            nonlocal latest
            with self._lock:
                latest, self._waiting = self._waiting or latest, None
            latest.store.save(latest.snapshot)
            if latest.architecture is not None:
                latest.store.save_architecture(latest.architecture)

        try:
            if self._refused_trial is None:
                retry_for_a_minute(attempt, self._sleep)
            else:
                attempt()
        except Exception as error:  # noqa: BLE001 - a checkpoint must not be lost in silence
            self._note_refusal(latest, error)
        else:
            self._refused_trial = None

    def _note_refusal(self, pending: Pending, error: Exception) -> None:
        if self._refused_trial == pending.trial:
            return
        self._refused_trial = pending.trial
        why = error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
        epoch = pending.snapshot.epoch
        with self._lock:
            self._notes.append(
                (pending.trial, f"the checkpoint of epoch {epoch} could not be written ({why}); it goes on without one")
            )
