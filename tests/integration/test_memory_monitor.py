"""A trial that eats the machine's memory, and Ray's memory monitor."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

import tune_jobs
from tests.support import tiny_lab
from tune_jobs.results import Status

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ROOM_BYTES = 3 * 2**30
"""What Ray and its workers take in all, and what is left to eat."""


def test_a_trial_that_eats_all_memory_is_out_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = psutil.virtual_memory()
    if memory.available < 3 * ROOM_BYTES:
        pytest.skip("too little free memory to eat some of it")
    threshold = 1 - (memory.available - ROOM_BYTES) / memory.total
    monkeypatch.setenv("RAY_memory_usage_threshold", f"{threshold:.3f}")
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "50")
    hungry = tiny_lab.experiment(tmp_path / "marker", "eats memory", "good", max_retries=1)
    run = tune_jobs.run(hungry, storage=tmp_path, name="hungry")
    eaten, good = run.history().trials.values()
    assert (eaten.status, list(eaten.epochs)) == (Status.OUT_OF_MEMORY, [1])
    assert "running low on memory" in eaten.error
    assert good.status is Status.COMPLETED
    (retried,) = [note for note in run.history().notes if note.trial == eaten.trial and "retry" in note.text]
    assert "(retry 1 of 1)" in retried.text
