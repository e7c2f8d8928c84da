"""The driver lets go of the data once Ray has it."""

from __future__ import annotations

import weakref

from tests.support.tiny_trainables import tiny_data
from tune_jobs.engine.data import OPENED_BY_WORKERS, SHARED, PendingData


def test_the_data_is_forgotten_when_it_is_handed_over() -> None:
    data = tiny_data()
    reference = weakref.ref(data)
    pending = PendingData(data)
    assert pending.way == SHARED
    del data
    assert pending.hand_over() is not None
    assert reference() is None


def test_what_workers_open_is_not_there() -> None:
    pending = PendingData(None)
    assert pending.way == OPENED_BY_WORKERS
    assert pending.hand_over() is None
