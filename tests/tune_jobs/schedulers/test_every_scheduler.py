"""The rules that every scheduler of ``SCHEDULERS`` keeps; a new one is tested as soon as it is listed there."""

from __future__ import annotations

from pathlib import Path

import pytest

import tune_jobs
from tune_jobs.schedulers import SCHEDULERS, Scheduler

DOCS = Path(__file__).parents[3] / "docs"
MAX_EPOCHS = 27

every_scheduler = pytest.mark.parametrize("kind", SCHEDULERS.values(), ids=SCHEDULERS)


@every_scheduler
def test_it_is_public_and_explained(kind: type[Scheduler]) -> None:
    assert getattr(tune_jobs, kind.__name__) is kind
    assert kind.__name__ in tune_jobs.__all__
    assert f"{kind.__name__}(" in (DOCS / "search.md").read_text(encoding="utf-8")


@every_scheduler
def test_json_makes_the_same_declaration_again(kind: type[Scheduler]) -> None:
    written = kind().to_json()
    assert SCHEDULERS[written.pop("kind")](**written) == kind()


@every_scheduler
@pytest.mark.parametrize("max_epochs", [1, 2, 10, MAX_EPOCHS])
def test_rungs_ascend_and_lie_below_the_last_epoch(kind: type[Scheduler], max_epochs: int) -> None:
    rungs = kind().rungs(max_epochs)
    assert list(rungs) == sorted(set(rungs))
    assert all(1 <= rung < max_epochs for rung in rungs)


@every_scheduler
def test_the_same_reports_get_the_same_answers(kind: type[Scheduler]) -> None:
    def answers() -> list[str | None]:
        schedule = kind().start(MAX_EPOCHS, seed=3)
        return [schedule.report(trial, epoch, trial / epoch) for epoch in range(1, MAX_EPOCHS) for trial in range(9)]

    first = answers()
    assert first == answers()
    assert all(answer is None or answer for answer in first)
