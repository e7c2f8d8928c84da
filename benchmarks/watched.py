"""A record of how a worker spends its time: one line for each call by Ray, one file for each worker."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.clock import Clock, wrapped
from trainables.settings import TRIAL_KEY


class Watched:
    """A mixin, to be put before a KerasTrainable. It records the calls.

    Attributes:
        watched_in: The folder of the records.
    """

    watched_in: str

    def setup(self, config: dict[str, Any], data: Any = None, settings: Any = None) -> None:
        """Begin the first trial of a worker."""
        begun_s, cpu_before_s = time.time(), time.process_time()
        self._clock, self._watched = _clock(), config
        loaded_s = time.time() - begun_s  # to set the clocks loads modules that a trial would have loaded
        self._recorded(
            "setup", lambda: super(Watched, self).setup(config, data, settings), begun_s, cpu_before_s, loaded_s
        )

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial."""
        self._watched = new_config
        return bool(self._recorded("reset_config", lambda: super(Watched, self).reset_config(new_config), time.time()))

    def step(self) -> dict[str, Any]:
        """Train one epoch."""
        result: dict[str, Any] = self._recorded("step", super().step, time.time())
        return result

    def _recorded(
        self,
        call: str,
        action: Callable[[], Any],
        begun_s: float,
        cpu_before_s: float | None = None,
        loaded_s: float = 0.0,
    ) -> Any:
        self._clock.spent = {"import": [loaded_s, 0.0]}
        result = self._clock.time(call, action)
        config = dict(self._watched)
        line = {"worker": os.getpid(), "trial": config.pop(TRIAL_KEY), "config": config, "call": call}
        line |= {"begun_s": begun_s, "ended_s": time.time(), "cpu_before_s": cpu_before_s}
        line["spent_s"] = {part: wall_s for part, (wall_s, _) in self._clock.spent.items()}
        with Path(self.watched_in, f"watched-{os.getpid()}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        return result


def lines(folder: str) -> Iterable[dict[str, Any]]:
    """Yield the records of all workers."""
    for file in sorted(Path(folder).glob("watched-*.jsonl")):
        yield from map(json.loads, file.read_text().splitlines())


def _clock() -> Clock:
    """Return a clock of the steps of a trial, of validation, of checkpoints and of imports."""
    clock = wrapped()
    import keras

    from trainables.storage.background_writer import BackgroundWriter
    from trainables.training.training import Training

    clock.wrap(keras.Model, "evaluate", "validation")
    clock.wrap(Training, "snapshot", "checkpoints")
    clock.wrap(BackgroundWriter, "write", "checkpoints")
    clock.wrap(BackgroundWriter, "wait", "checkpoints")
    clock.wrap(sys.modules["_frozen_importlib"], "_find_and_load", "import")  # every import that has to load
    return clock
