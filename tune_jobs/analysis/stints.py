"""The stints of a run: when each trial had a worker, on which node, and how long workers had none."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tune_jobs.analysis.comparison.trajectory import running_times
from tune_jobs.results.journal.events import (
    EpochReported,
    Event,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialPaused,
    TrialStarted,
)


@dataclass(frozen=True, slots=True)
class Stint:
    """The time in which a trial had a worker. A trial that was continued has several.

    Attributes:
        trial: The number of the trial.
        node: The name of the machine.
        gpus: The GPUs that the trial had; None where all trials get the same.
        start_s: The seconds of running at its start.
        end_s: The seconds of running at its end, or at the last event if it goes on.
        status: The status at its end: running if it goes on, paused if the trial freed its worker, interrupted if the
            worker or the run ended.
        slot: The number of the worker on its node, from 0: two stints of one slot never overlap.
    """

    trial: int
    node: str
    gpus: float | None
    start_s: float
    end_s: float
    status: Status
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Occupation:
    """The stints of a run, and what they leave idle.

    Attributes:
        stints: The stints, in the order of their starts.
        seconds: The seconds of running of the whole run.
        slot_seconds: The sum over sessions: trials that may run side by side, times the seconds of the session.
        training_seconds: The seconds of all epochs.
        restarts: The seconds of running at which the run was resumed.
    """

    stints: tuple[Stint, ...]
    seconds: float
    slot_seconds: float
    training_seconds: float
    restarts: tuple[float, ...]

    @property
    def busy(self) -> float:
        """The part of the slots' time that had a trial, in [0, 1]."""
        used = sum(stint.end_s - stint.start_s for stint in self.stints)
        return min(1.0, used / self.slot_seconds) if self.slot_seconds > 0 else 0.0

    @property
    def training(self) -> float:
        """The part of the slots' time that was spent on epochs, in [0, 1]."""
        return min(1.0, self.training_seconds / self.slot_seconds) if self.slot_seconds > 0 else 0.0


def measure_occupation(events: Iterable[Event]) -> Occupation:
    """Return the stints of a run.

    Args:
        events: The events that hold together, in order.
    """
    clock = _Clock()
    for event, now_s in running_times(events):
        clock.take(event, now_s)
    return clock.occupation()


@dataclass
class _Clock:
    """The state of the workers while the events of a run are read."""

    now_s: float = 0.0
    slots: int = 0
    session_start_s: float = 0.0
    slot_seconds: float = 0.0
    training_s: float = 0.0
    working: dict[int, Stint] = field(default_factory=dict)
    last_epochs_s: dict[int, float] = field(default_factory=dict)
    stints: list[Stint] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)

    def take(self, event: Event, now_s: float) -> None:
        """Take an event at a time of running."""
        self.now_s = now_s
        match event:
            case RunStarted():
                self._start_session(event)
            case TrialStarted():
                self._close([event.trial], Status.INTERRUPTED)
                self.working[event.trial] = Stint(event.trial, event.node, event.gpus, now_s, now_s, Status.RUNNING)
            case EpochReported():
                self.training_s += event.seconds
                self.last_epochs_s[event.trial] = now_s
            case TrialEnded():
                self._close([event.trial], event.status)
            case TrialPaused():
                self._close([event.trial], Status.PAUSED)
            case RunEnded():
                self._close(list(self.working), Status.INTERRUPTED)

    def occupation(self) -> Occupation:
        """Return the result, after the last event."""
        self._close(list(self.working), Status.RUNNING)
        slot_seconds = self.slot_seconds + self.slots * (self.now_s - self.session_start_s)
        return Occupation(_in_slots(self.stints), self.now_s, slot_seconds, self.training_s, tuple(self.restarts))

    def _start_session(self, event: RunStarted) -> None:
        for trial in list(self.working):  # the run was killed: nobody knows for how long its workers went on
            self._close([trial], Status.INTERRUPTED, self.last_epochs_s.get(trial, self.session_start_s))
        if self.slots:
            self.restarts.append(self.now_s)
        self.slot_seconds += self.slots * (self.now_s - self.session_start_s)
        self.slots, self.session_start_s = event.max_concurrent_trials, self.now_s

    def _close(self, trials: Iterable[int], status: Status, end_s: float | None = None) -> None:
        for trial in trials:
            if (stint := self.working.pop(trial, None)) is not None:
                end = max(stint.start_s, self.now_s if end_s is None else end_s)
                self.stints.append(replace(stint, end_s=end, status=status))


def _in_slots(stints: Sequence[Stint]) -> tuple[Stint, ...]:
    """Give each stint the lowest slot of its node that is free at its start."""
    free: dict[str, list[int]] = {}
    busy: dict[str, list[tuple[float, int]]] = {}
    placed = []
    for stint in sorted(stints, key=lambda each: (each.start_s, each.end_s, each.trial)):
        of_node, unused = busy.setdefault(stint.node, []), free.setdefault(stint.node, [])
        while of_node and of_node[0][0] <= stint.start_s:
            heapq.heappush(unused, heapq.heappop(of_node)[1])
        slot = heapq.heappop(unused) if unused else len(of_node)
        heapq.heappush(of_node, (stint.end_s, slot))
        placed.append(replace(stint, slot=slot))
    return tuple(placed)
