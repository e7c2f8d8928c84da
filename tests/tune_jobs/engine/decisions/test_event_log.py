"""A journal that cannot be written ends the run, and has no gap."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tests.support.fakes import MemoryEventLog, experiment
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.results import Noted
from tune_jobs.searchers import Random


class FullDisk(MemoryEventLog):
    """Keeps some events, and refuses all others."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def event(self, event: Any) -> None:
        if len(self.events) >= self.room:
            raise OSError(28, "No space left on device")
        super().event(event)


def test_a_note_about_the_run_is_written_once_whoever_tells_it() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(trials=2, searcher=Random()), log, clock=lambda: 0.0)
    coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=2)
    for number in (0, 1):
        coordinator.report(number, {"done": True, "notes": [(None, "about the data"), (number, "about a file")]})
    notes = [(event.trial, event.text) for event in log.events if isinstance(event, Noted)]
    assert notes == [(None, "about the data"), (0, "about a file"), (1, "about a file")]


@given(st.integers(0, 40))
@with_examples(25)
def test_a_journal_that_cannot_be_written_ends_the_run_and_has_no_gap(room: int) -> None:
    declared = experiment(trials=4, searcher=Random())
    whole, cut_off = MemoryEventLog(), FullDisk(room)
    for log in (whole, cut_off):
        coordinator = Coordinator(declared, log, clock=lambda: 0.0)
        coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
        while (proposal := coordinator.propose()) is not None:
            trial, config = proposal
            coordinator.start(trial, "here")
            for epoch in range(1, 10):
                metrics = {"val_accuracy": config["x"] * (1 - math.exp(-epoch))}
                result = {"epoch": epoch, "metrics": metrics, "seconds": 1.0, "done": epoch == 9}
                if coordinator.report(trial, result):
                    break
        coordinator.finish()
    assert cut_off.events == whole.events[:room]
    if room < len(whole.events) - 1:
        assert "No space left on device" in (coordinator.failure or "")
        resumed = Coordinator(declared, MemoryEventLog())
        resumed.replay(cut_off.events)
        assert not resumed.is_over
