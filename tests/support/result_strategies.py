"""Random events, and runs that could have happened, for tests of the journal, the history and the tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.examples import with_examples
from trainables.settings import Mode
from tune_jobs.base.objective import Objective
from tune_jobs.base.plain_text import plain_text
from tune_jobs.results import (
    EpochReported,
    Event,
    Noted,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    TrialStarted,
)

# No deadline: a busy machine is not a wrong result.
property_settings = with_examples(35)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SENTENCES = TEXTS.map(plain_text)  # as a journal holds the texts that are for people
AMOUNTS = st.floats(0, 1e12)
TRIALS = st.integers(0, 10**9)
EPOCHS = st.integers(1, 10**6)
ENDINGS = st.sampled_from([status for status in Status if status not in (Status.RUNNING, Status.PAUSED)])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=5,
)
EVENTS = st.one_of(
    st.builds(RunStarted, time_s=AMOUNTS, cpus=AMOUNTS, gpus=AMOUNTS, max_concurrent_trials=st.integers(1, 10**9)),
    st.builds(
        TrialStarted,
        time_s=AMOUNTS,
        trial=TRIALS,
        config=st.dictionaries(TEXTS, VALUES, max_size=3),
        node=SENTENCES,
    ),
    st.builds(
        EpochReported,
        time_s=AMOUNTS,
        trial=TRIALS,
        epoch=EPOCHS,
        metrics=st.dictionaries(TEXTS, st.floats(), max_size=3),
        seconds=AMOUNTS,
        done=st.booleans(),
        batches=st.none() | st.integers(0, 10**9),
    ),
    st.builds(TrialPaused, time_s=AMOUNTS, trial=TRIALS, reason=SENTENCES, epochs=st.integers(0, 10**6)),
    st.builds(TrialPromoted, time_s=AMOUNTS, trial=TRIALS, reason=SENTENCES),
    st.builds(Noted, time_s=AMOUNTS, trial=st.none() | TRIALS, text=SENTENCES),
    st.builds(TrialEnded, time_s=AMOUNTS, trial=TRIALS, status=ENDINGS, reason=SENTENCES, error=st.none() | SENTENCES),
    st.builds(RunEnded, time_s=AMOUNTS, reason=SENTENCES, error=st.none() | SENTENCES),
)


def accuracy(mode: Mode = "max") -> Objective:
    """Return the objective of the runs of this module."""
    return Objective("val_accuracy", mode)


@dataclass(frozen=True)
class Trial:
    """A trial as a test wants it to have happened."""

    number: int
    config: dict[str, Any]
    epochs: list[dict[str, float]]
    status: Status
    error: str | None = None

    def events(self) -> Iterator[Event]:
        yield TrialStarted(time_s=1.0, trial=self.number, config=self.config, node="host")
        for epoch, metrics in enumerate(self.epochs, start=1):
            yield EpochReported(time_s=1.0 + epoch, trial=self.number, epoch=epoch, metrics=metrics, seconds=0.5)
        if self.status is Status.PAUSED:
            yield TrialPaused(time_s=99.0, trial=self.number, reason="why", epochs=len(self.epochs))
        elif self.status is not Status.RUNNING:
            yield TrialEnded(time_s=99.0, trial=self.number, status=self.status, reason="why", error=self.error)


def events_of(trials: Sequence[Trial]) -> list[Event]:
    return [event for trial in trials for event in trial.events()]


SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, math.nan, math.inf, -math.inf])  # few, so that ties are common
METRICS = st.fixed_dictionaries({"val_accuracy": SCORES}, optional={"loss": SCORES})


@st.composite
def random_trials(draw: st.DrawFn, max_size: int = 8) -> list[Trial]:
    numbers = draw(st.lists(st.integers(0, 50), unique=True, max_size=max_size))
    return [
        Trial(
            number,
            config=draw(st.fixed_dictionaries({"lr": st.floats(0, 1)}, optional={"units": st.lists(EPOCHS)})),
            epochs=draw(st.lists(METRICS, max_size=4)),
            status=draw(st.sampled_from(Status)),
            error=draw(st.none() | SENTENCES),
        )
        for number in numbers
    ]
