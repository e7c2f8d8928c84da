"""The events of a journal that hold together, without what a damaged or edited journal claims and does not show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tune_jobs.results.journal.events import (
    Damaged,
    Ending,
    EpochReported,
    Event,
    Noted,
    RunEnded,
    TrialEnded,
    TrialPaused,
    TrialStarted,
)

_REMEDY = "Resume the run: a checkpoint brings them back, or they are trained again."


def coherent(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events that hold together, and a ``Damaged`` event where something is missing.

    An epoch counts if all epochs before it are there. The end of a trial counts if all its epochs are there. So a trial
    whose journal has 4 of 6 epochs has not ended: it is continued when the run is resumed. A pause counts like an end.

    Args:
        events: The events, in the order in which they were written.
    """
    trials: dict[int, _Trial] = {}
    damages = _Damages()
    for event in events:
        if isinstance(event, EpochReported):
            trial = trials.get(event.trial)
            yield from [event] if trial is None else trial.count(event)
            continue
        match event:
            case TrialStarted():
                trial = trials.setdefault(event.trial, _Trial(event.trial))
                yield from damages.tell(event.time_s, trial.start())
            case TrialPaused() | TrialEnded() if event.trial in trials:
                trial = trials[event.trial]
                yield from damages.tell(event.time_s, trial.leave(event))
                if trial.lacks(event.epochs or 0):
                    continue
            case RunEnded(reason=Ending.TRIALS):
                for trial in trials.values():
                    yield from damages.tell(event.time_s, trial.missing_end())
            case Damaged() | Noted():
                damages.told.add(event.text)
        yield event
    for trial in trials.values():
        yield from damages.tell(0.0, trial.gap())


def numbered_epochs(first: int, last: int) -> str:
    """Return "epoch 4" or "epochs 4 to 6"."""
    return f"epoch {first}" if first >= last else f"epochs {first} to {last}"


@dataclass
class _Trial:
    """The epochs of a trial that are there.

    Attributes:
        number: The number of the trial.
        reached: The last epoch before which none is missing.
        held: The epochs after a gap, by number. They count if the gap is filled before the trial starts again.
        is_open: Whether no end was written since the trial's start.
    """

    number: int
    reached: int = 0
    held: dict[int, EpochReported] = field(default_factory=dict)
    is_open: bool = True

    def count(self, epoch: EpochReported) -> list[EpochReported]:
        """Return the epochs that count, now that one more was read."""
        if epoch.epoch > self.reached + 1:
            self.held[epoch.epoch] = epoch
            return []
        counted = [epoch]
        self.reached = max(self.reached, epoch.epoch)
        while self.held and (following := self.held.pop(self.reached + 1, None)) is not None:
            counted.append(following)
            self.reached += 1
        return counted

    def start(self) -> str | None:
        """Begin again after the last epoch that counts; return what is missing."""
        gap = self.gap()
        self.held.clear()
        self.is_open = True
        return gap

    def leave(self, event: TrialPaused | TrialEnded) -> str | None:
        """End or pause, if all epochs before that are there; return what is missing."""
        epochs = event.epochs or 0
        if is_end := isinstance(event, TrialEnded):
            self.is_open = False
        if epochs > self.reached and not self.held:
            named = numbered_epochs(self.reached + 1, epochs)
            what = "end" if is_end else "pause"
            return f"The journal lacks {named} of trial {self.number}, so its {what} does not count. {_REMEDY}"
        return self.gap()

    def lacks(self, epochs: int) -> bool:
        """Return whether any of so many epochs is missing."""
        return bool(self.held) or epochs > self.reached

    def gap(self) -> str | None:
        """Return what is missing before the epochs that are held; None if there are none."""
        if not self.held:
            return None
        named = numbered_epochs(self.reached + 1, min(self.held) - 1)
        return f"The journal lacks {named} of trial {self.number}, so its later epochs do not count. {_REMEDY}"

    def missing_end(self) -> str | None:
        """Return that the end is missing, in a run that ended after all trials had."""
        if not self.is_open:
            return None
        return f"The journal lacks the end of trial {self.number}. Resume the run: the trial is ended again."


class _Damages:
    """The damages that were told, so that none is told twice."""

    def __init__(self) -> None:
        self.told: set[str] = set()

    def tell(self, time_s: float, text: str | None) -> Iterator[Damaged]:
        """Yield a damage, unless there is none or it was told."""
        if text is not None and text not in self.told:
            self.told.add(text)
            yield Damaged(time_s=time_s, text=text)
