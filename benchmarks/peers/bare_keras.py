"""Keras alone, in one single-threaded process per core: the practical limit."""

from __future__ import annotations

import multiprocessing
from typing import Any

from benchmarks import work

_worker: dict[str, Any] = {}


def begin(order: dict[str, Any]) -> None:
    """Prepare a process: its thread, its data."""
    work.use_threads(1)
    _worker.update(order, data=work.load(order["data"]))


def train(config: dict[str, Any]) -> float:
    """Train one configuration, and return its best accuracy."""
    import keras

    keras.backend.clear_session(free_memory=False)
    data = _worker["data"]
    return work.fit(work.build(config, data[0][0].shape[1]), config, data, _worker["epochs"])


if __name__ == "__main__":
    order = work.read_order()
    with multiprocessing.get_context("spawn").Pool(order["cores"], begin, (order,)) as pool:
        work.write_result(pool.map(train, order["configurations"], chunksize=1))
