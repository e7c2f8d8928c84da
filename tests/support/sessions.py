"""A callback that is told a run in two sessions, with a resume between them."""

from __future__ import annotations

from typing import Any

from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import Event
from tune_jobs.results.run import Run


def plan_of(run: Run, earlier: list[Event] | None = None) -> Plan:
    about = {"metric": "val_accuracy", "mode": "max", "trials": 12, "max_epochs": 9, "total_epochs": None}
    more = {"time_budget_s": None, "max_concurrent_trials": 4, "earlier": earlier or []}
    return Plan(folder=run.folder, name=run.name, **about, **more)  # type: ignore[arg-type]


def follow_in_two_sessions(make: Any, run: Run, share: float = 0.5, *, is_killed: bool = False) -> None:
    """Tell a callback the first events of a run, and tell another one the rest after a resume.

    Args:
        make: Makes the callback.
        run: The run, which has ended.
        share: The share of the events in the first session.
        is_killed: Whether the first session was killed: its callback did not hear of its end, nor of the last event,
            which the journal has already.
    """
    events = run.events()
    half = round(len(events) * share)
    for earlier, new in (([], events[:half]), (events[:half], events[half:])):
        is_last = bool(earlier)
        callback = make()
        callback.begin(plan_of(run, earlier))
        for event in new if is_last or not is_killed else new[:-1]:
            callback.event(event)
        if is_last or not is_killed:
            callback.end()
        else:
            killed = callback
    if is_killed:
        killed.close()  # its threads would tell that they were left alone
