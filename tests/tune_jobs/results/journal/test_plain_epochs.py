"""The short way to read an epoch refuses and converts nothing that the long way does not."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tune_jobs.base.objective import Objective
from tune_jobs.results.history import TrialHistory
from tune_jobs.results.journal import lines
from tune_jobs.results.journal.events import EpochReported, Event, Status
from tune_jobs.results.journal.lines import EventError, decode

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["nan", "inf", "-inf", "x", [], {}, 10**400]),
)
FIELDS = {"time_s": ANYTHING, "trial": ANYTHING, "epoch": ANYTHING, "seconds": ANYTHING}
METRICS = st.one_of(ANYTHING, st.dictionaries(st.sampled_from(["loss", "val_loss", "é"]), ANYTHING, max_size=3))


def outcome(line: bytes) -> Event | str | None:
    try:
        return decode(line)
    except EventError as error:
        return str(error)


@given(fields=st.fixed_dictionaries({}, optional={**FIELDS, "metrics": METRICS, "more": ANYTHING}))
def test_both_ways_give_the_same(fields: dict[str, Any]) -> None:
    line = json.dumps({"event": "epoch", **fields}).encode().replace(b"10000000000000000000000", b"1e999") + b"\n"
    with pytest.MonkeyPatch.context() as patch:
        short = outcome(line)
        patch.setattr(lines, "_plain_epoch", lambda _: None)
        long = outcome(line)
    assert repr(short) == repr(long)
    if isinstance(short, EpochReported) and isinstance(long, EpochReported):
        assert {type(value) for value in short.metrics.values()} <= {float}
        assert [type(value) for value in (short.trial, short.epoch, short.time_s)] == [int, int, float]


@given(
    values=st.lists(st.tuples(st.floats(), st.floats()), max_size=6),
    mode=st.sampled_from(["max", "min"]),
)
def test_the_best_epoch_is_finite_and_the_first_of_equals(values: list[tuple[float, float]], mode: Any) -> None:
    epochs = {
        number: EpochReported(time_s=0.0, trial=0, epoch=number, seconds=0.0, metrics={"val_loss": value, "loss": loss})
        for number, (value, loss) in enumerate(values, start=1)
    }
    trial = TrialHistory(0, {}, "", 0.0, Status.COMPLETED, epochs=epochs)
    sound = [
        (-value if mode == "max" else value, number)
        for number, (value, loss) in enumerate(values, start=1)
        if math.isfinite(value) and math.isfinite(loss)
    ]
    best = trial.best(Objective("val_loss", mode))
    assert (best and best.epoch) == (min(sound)[1] if sound else None)
