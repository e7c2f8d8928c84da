"""What the tests of trainables share: trials that end with their test, and counted traces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.outcomes import BeginTrial
from tests.support.traced import Traces
from trainables import Data, KerasTrainable, TrialSettings
from trainables.internals.global_state import forget_names


@pytest.fixture
def begin() -> Iterator[BeginTrial]:
    """Begin trials, each in a worker of its own, and end them with the test."""
    workers = []

    def begin_trial(
        trainable: type[KerasTrainable],
        config: dict[str, Any] | None = None,
        data: Data | None = None,
        **settings: Any,
    ) -> KerasTrainable:
        forget_names()  # a worker is a process of its own
        workers.append(trainable.standalone(config or {}, data, TrialSettings(**settings)))
        return workers[-1]

    yield begin_trial
    for worker in workers:
        worker.cleanup()


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Traces:
    """Count the traces from now on."""
    return Traces(monkeypatch)
