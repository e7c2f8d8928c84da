"""Clocks at the functions of a worker. They measure how long each part of a trial takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


class Clock:
    """A clock of the functions that it wraps, each without the wrapped functions that it calls.

    Only the thread that made the clock is measured.

    Attributes:
        spent: Wall and CPU seconds by part. A reader may replace it by an empty dictionary to start again.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self.spent: dict[str, list[float]] = {}
        self._within: list[list[float]] = []

    def wrap(self, owner: Any, name: str, part: str) -> None:
        """Time a function wherever it is called by that name."""
        function: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **options: Any) -> Any:
            if threading.get_ident() != self._thread:
                return function(*args, **options)
            return self.time(part, lambda: function(*args, **options))

        setattr(owner, name, timed)

    def time(self, part: str, action: Callable[[], Any]) -> Any:
        """Time one call."""
        self._within.append([0.0, 0.0])
        begun = (time.perf_counter(), time.process_time())
        try:
            return action()
        finally:
            whole = [time.perf_counter() - begun[0], time.process_time() - begun[1]]
            inner = self._within.pop()
            spent = self.spent.setdefault(part, [0.0, 0.0])
            for kind in (0, 1):
                spent[kind] += whole[kind] - inner[kind]
                if self._within:
                    self._within[-1][kind] += whole[kind]


def wrapped() -> Clock:
    """Return a clock at every step that makes a trial, and at its epochs."""
    from trainables.reuse import worker_cache
    from trainables.training import training

    clock = Clock()
    clock.wrap(training, "build_compiled_model", "build_model")
    clock.wrap(worker_cache.InputCache, "training", "input")
    clock.wrap(worker_cache.InputCache, "validation", "input")
    clock.wrap(training, "create_variables", "variables, metrics")
    clock.wrap(worker_cache, "fingerprint", "the model's fingerprint")
    clock.wrap(worker_cache.TrialModel, "copy_values", "values into a kept model")
    clock.wrap(training.Training, "train_epoch", "epoch")
    return clock
