"""Warm start: the results of other searches from which the searcher of a new run learns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from trainables.report import has_objective
from tune_jobs.base.objective import Objective, losses_of
from tune_jobs.base.words import quantity
from tune_jobs.engine.decisions.failures import FAILED_STATUSES
from tune_jobs.results import EpochReported, Event, Noted, Status, TrialEnded, TrialStarted
from tune_jobs.searchers import Search
from tune_jobs.searchers.base import number_of_other_run


@dataclass(frozen=True)
class TakenTrials:
    """The results of one source that were taken for a new run.

    Attributes:
        run: The name of the source, such as that of a run.
        trials: The numbers of the results that were taken.
        of: The number of results that the source has.
        dropped: The number of results that were not taken, by the reason, in words that follow the number.
        changes: What was changed in the results so that they fit, in words.
    """

    run: str
    trials: tuple[int, ...]
    of: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[str, ...] = ()

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.dropped.items())
        told = f"warm start from {self.run}: {len(self.trials)} of {quantity(self.of, 'result')} used"
        return "; ".join([f"{told}: {reasons}" if reasons else told, *self.changes])

    def to_json(self) -> dict[str, Any]:
        """Return the entry for experiment.json."""
        return {"run": self.run, "trials": list(self.trials), "of": self.of, "dropped": dict(self.dropped)}


def teach(search: Search, lessons: Iterable[Event], goal: Objective, objectives: Sequence[Objective] = ()) -> None:
    """Tell a searcher about trials of other runs.

    Args:
        search: The searcher of the new run.
        lessons: The events of a warm start, as they are kept in its file.
        goal: The objective of the new run, with its constraints.
        objectives: The objectives of the new run, if there are several.
    """
    best: dict[int, tuple[float, ...]] = {}
    for event in lessons:
        match event:
            case TrialStarted():
                search.remember(number_of_other_run(event.trial), dict(event.config))
            case EpochReported(metrics=metrics) if has_objective(metrics, goal.metric):
                losses = losses_of(metrics, goal.judged_loss(metrics), objectives or (goal,))
                best[event.trial] = losses = min(best.get(event.trial, losses), losses, key=itemgetter(0))
                if len(objectives) > 1:
                    search.report_all(number_of_other_run(event.trial), event.epoch, losses)
                else:
                    search.report(number_of_other_run(event.trial), event.epoch, losses[0])
            case TrialEnded(status=status):
                failed, trained_out = status in FAILED_STATUSES, status is Status.COMPLETED
                search.end(number_of_other_run(event.trial), failed=failed, trained_out=trained_out)


def sources_of(lessons: Iterable[Event]) -> list[int]:
    """Return the number of the first trial of each source of a warm start, in the order of the lessons.

    A note in front of a source's trials says what was taken of it. Files of older versions have no notes: all of their
    trials are of one source.
    """
    sources: list[int] = []
    is_new = True
    for event in lessons:
        if isinstance(event, Noted):
            is_new = True
        elif isinstance(event, TrialStarted) and is_new:
            sources.append(event.trial)
            is_new = False
    return sources
