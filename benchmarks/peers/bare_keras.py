"""Keras alone, in as many single-threaded processes as there are cores: the practical limit."""

from __future__ import annotations

import multiprocessing
from typing import Any

from benchmarks import work

_worker: dict[str, Any] = {}


def begin(asked: dict[str, Any]) -> None:
    """Prepares a process: its thread, its data."""
    work.use_threads(1)
    _worker.update(asked, data=work.load(asked["data"]))


def train(config: dict[str, Any]) -> float:
    """One training."""
    import keras

    keras.backend.clear_session(free_memory=False)
    data = _worker["data"]
    return work.fit(work.build(config, data[0][0].shape[1]), config, data, _worker["epochs"])


if __name__ == "__main__":
    asked = work.arguments()
    with multiprocessing.get_context("spawn").Pool(asked["cores"], begin, (asked,)) as pool:
        work.done(pool.map(train, asked["configurations"], chunksize=1))
