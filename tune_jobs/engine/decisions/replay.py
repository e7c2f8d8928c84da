"""The replay of a journal: the events from which a resumed run learns again what it knew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from trainables.report import Epoch
from tune_jobs.results import (
    EpochReported,
    Event,
    ParametersMet,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    TrialStarted,
    epochs_at_own_end,
    numbered_epochs,
)

Decisive = EpochReported | TrialPaused | TrialPromoted | TrialEnded


def started_trials(events: Iterable[Event]) -> dict[int, dict[str, Any]]:
    """Return the configurations of the trials that have started, by their numbers; what they met is in them.

    Args:
        events: All events of a run.
    """
    return {event.trial: dict(event.config) for event in events if isinstance(event, TrialStarted | ParametersMet)}


def lost_epochs(epochs: Iterable[Epoch], after: int) -> tuple[list[Epoch], str]:
    """Return the epochs that a checkpoint has and the journal lacks, and a sentence about them; "" if there are none.

    Args:
        epochs: The epochs of the checkpoint.
        after: The last epoch of the trial that the journal has.
    """
    lost = [epoch for epoch in epochs if epoch.number > after]
    if not lost:
        return [], ""
    named = numbered_epochs(lost[0].number, lost[-1].number)
    return lost, f"The journal lacked its {named}, which its checkpoint brought back."


def decisive_events(events: Sequence[Event], max_epochs: int) -> Iterator[Decisive]:
    """Return the reports, pauses, promotions and ends of trials, in the order in which searcher and scheduler heard.

    A trial whose worker died reports some epochs again; they are left out. If a damaged journal has an epoch of a
    paused trial and lacks the promotion, a promotion comes before the epoch.

    Args:
        events: All events of a run.
        max_epochs: The number of epochs after which a trial has been trained completely.

    Yields:
        Each new epoch, with ``done`` if no scheduler judged it, and each pause, promotion and end of a trial.
    """
    epochs = dict.fromkeys(started_trials(events), 0)
    own_ends = epochs_at_own_end(events)
    paused: set[int] = set()
    for event in events:
        match event:
            case EpochReported(trial=trial, epoch=epoch) if trial in epochs and epoch > epochs[trial]:
                epochs[trial] = epoch
                if trial in paused:
                    paused.remove(trial)
                    yield TrialPromoted(time_s=event.time_s, trial=trial, reason="")
                yield replace(event, done=event.done or epoch >= max_epochs or (trial, epoch) in own_ends)
            case TrialPaused(trial=trial) if trial in epochs:
                paused.add(trial)
                yield event
            case TrialPromoted(trial=trial) if trial in paused:
                paused.remove(trial)
                yield event
            case TrialEnded(trial=trial) if trial in epochs:
                del epochs[trial]
                yield event
