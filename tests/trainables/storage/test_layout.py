"""The names in the folder of all trials."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from trainables.storage import layout


def test_the_names_are_those_of_earlier_runs() -> None:
    assert (layout.STATE_FILE, layout.ARRAYS_FILE, layout.ARCHITECTURE_FILE) == (
        "state.json",
        "arrays.npz",
        "model.json",
    )
    assert [layout.trial_name(trial) for trial in (0, 7, 10**9)] == ["0000", "0007", "1000000000"]
    assert [layout.checkpoint_name(epoch) for epoch in (9, 1_000_000)] == ["epoch-000009", "epoch-1000000"]


@given(st.integers(0, 10**9))
def test_the_patterns_fit_the_names(number: int) -> None:
    name = layout.checkpoint_name(number)
    assert layout.is_checkpoint(name)
    assert layout.epoch_of(name) == number
    assert re.fullmatch(layout.TRIAL_PATTERN, layout.trial_name(number))
    assert re.fullmatch(layout.CHECKPOINT_FILE_PATTERN, f"{name}/{layout.STATE_FILE}")


def test_other_names_are_those_of_no_checkpoint() -> None:
    others = ("epoch-8", "epoch-000009.bak", ".epoch-000009.71", "model.json", "", "epoch-000009/x", "epoch-0000x9")
    assert layout.newest_first(others) == []


def test_a_checkpoint_without_its_state_is_not_whole() -> None:
    files = [
        "epoch-000002/state.json",
        "epoch-000002/arrays.npz",
        "epoch-000010/arrays.npz",
        "model.json",
        "a/state.json",
    ]
    assert layout.checkpoints_of(files, whole=True) == ["epoch-000002"]
    assert layout.checkpoints_of(files, whole=False) == ["epoch-000010", "epoch-000002"]
