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


def follow_in_two_sessions(make: Any, run: Run) -> None:
    """Tell a callback the first half of a run, let it end, and tell another one the rest after a resume."""
    events = run.events()
    half = len(events) // 2
    for earlier, new in (([], events[:half]), (events[:half], events[half:])):
        callback = make()
        callback.begin(plan_of(run, earlier))
        for event in new:
            callback.event(event)
        callback.end()
