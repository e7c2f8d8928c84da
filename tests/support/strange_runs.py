"""Runs that are rare and possible: without an end, without a number, choices of every kind, paused and promoted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces import Boolean, Choice, Fixed, Float, Int, SearchSpace
from tests.support import fakes, runs
from tune_jobs.base.objective import Objective
from tune_jobs.results import (
    EpochReported,
    Event,
    Noted,
    ParametersMet,
    RunEnded,
    RunStarted,
    Status,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    TrialStarted,
)
from tune_jobs.results.run import Run
from tune_jobs.schedulers import ASHA, Hyperband, MedianStopping, NoScheduler, PopulationBased, PromotionASHA

NAN, INF = math.nan, math.inf
MIXED = SearchSpace(
    kind=Choice(None, True, False, "None", "true", 1, 1.5),
    pair=Choice([1, 2], [3], None),
    flag=Boolean(),
    name=Choice("a", "b"),
    width=Int(1, 3),
    power=Int(16, 1024, log=True),
    rate=Float(1e-5, 1e-1, log=True),
    fixed=Fixed("always"),
)
CONDITIONAL = SearchSpace(
    a=Choice("x", "y"), b=Float(0.0, 1.0).when(a="x"), c=Int(1, 9).when(a="y"), d=Choice(1, 2).when(a="y")
)
LISTS = SearchSpace(layers=Int(0, 3), units=Choice(8, 16).per("layers"), rates=Float(0.0, 1.0).per("layers"))
LONE = SearchSpace(only=Choice("one"))


def begun(at: float = 1.0, workers: int = 2) -> RunStarted:
    return RunStarted(time_s=at, cpus=2, gpus=0, max_concurrent_trials=workers)


def over(at: float, reason: str = "all trials", error: str | None = None) -> RunEnded:
    return RunEnded(time_s=at, reason=reason, error=error)


def trial(
    number: int,
    config: Mapping[str, Any],
    values: Sequence[float | None],
    status: Status | None = Status.COMPLETED,
    *,
    metric: str = "val_accuracy",
    at: float | None = None,
    error: str | None = None,
) -> list[Event]:
    now_s = 2.0 + 3 * number if at is None else at
    events: list[Event] = [TrialStarted(time_s=now_s, trial=number, config=config, node="node")]
    for index, value in enumerate(values):
        metrics = {"loss": 1.0, **({} if value is None else {metric: value})}
        epoch = index + 1
        now_s += 0.5
        events.append(EpochReported(time_s=now_s, trial=number, epoch=epoch, metrics=metrics, seconds=0.5))
    if status is Status.PAUSED:
        events.append(TrialPaused(time_s=now_s, trial=number, reason="waits", epochs=len(values)))
    elif status is not None:
        about: dict[str, Any] = {"status": status, "reason": "why", "error": error, "epochs": len(values)}
        events.append(TrialEnded(time_s=now_s + 0.1, trial=number, **about))
    return events


def of(
    space: SearchSpace, values: Callable[[int], Sequence[float | None]], count: int = 12, **more: Any
) -> list[Event]:
    rng = np.random.default_rng(0)
    events: list[Event] = [begun()]
    for number in range(count):
        events += trial(number, space.sample(rng), values(number), **more)
    return sorted([*events, over(2.0 + 3 * count)], key=lambda event: event.time_s)


def rising(number: int) -> list[float | None]:
    return [0.1 * number / 2 + 0.01 * epoch for epoch in range(1, 4)]


def paused_and_promoted() -> list[Event]:
    events: list[Event] = [begun()]
    for number in range(6):
        events += trial(number, {"x": number / 6}, [0.1 * number], Status.PAUSED)
    promoted = TrialPromoted(time_s=30.0, trial=5, reason="best", donor=None)
    taken = TrialPromoted(time_s=30.0, trial=4, reason="takes over", donor=5, config={"x": 0.9})
    events += [promoted, taken, *trial(5, {"x": 5 / 6}, [], None, at=31.0), *trial(4, {"x": 0.9}, [], None, at=31.0)]
    for number in (5, 4):
        report = {"trial": number, "epoch": 2, "metrics": {"val_accuracy": 0.9}, "seconds": 1.0}
        events.append(EpochReported(time_s=33.0, **report))
    ended = TrialEnded(time_s=34.0, trial=5, status=Status.COMPLETED, reason="all", error=None, epochs=2)
    return [*events, ended]


def in_three_sessions() -> list[Event]:
    first = [begun(), *trial(0, {"x": 0.1}, [0.5, 0.6], None), *trial(1, {"x": 0.2}, [0.4], Status.INTERRUPTED)]
    second = [over(20.0, "interrupted"), begun(100.0), *trial(0, {"x": 0.1}, [], None, at=101.0)]
    lost = [Noted(time_s=102.0, trial=0, text="its worker died"), *trial(0, {"x": 0.1}, [0.5], None, at=103.0)]
    return [*first, *second, *lost, begun(200.0, workers=9), *trial(2, {"x": 0.3}, [0.7], None, at=201.0)]


def met_later() -> list[Event]:
    late = {"kind": "Float", "lower": 0.0, "upper": 1.0}
    met = {"late": {"parameter": late, "value": 0.5, "declared": {}}}
    events: list[Event] = [begun(), *trial(0, {"x": 0.1}, [0.5], None)]
    events.append(ParametersMet(time_s=4.0, trial=0, config={"x": 0.1, "late": 0.5}, parameters=met))
    return [*events, *trial(1, {"x": 0.2, "late": 0.1}, [0.6])]


SMALL = SearchSpace(x=Float(0.0, 1.0))
LEAST = Objective("val_accuracy", "min")
RUNS: Mapping[str, tuple[Sequence[Event], Mapping[str, Any]]] = {
    "nothing": ([], {}),
    "begun": ([begun()], {}),
    "failed before a trial": ([begun(), over(2.0, "failed", "Ray is gone")], {}),
    "a trial without an epoch": ([begun(), *trial(0, {"x": 0.5}, [], None)], {}),
    "one trial": (of(SMALL, rising, 1), {"space": SMALL}),
    "two trials": (of(SMALL, rising, 2), {"space": SMALL}),
    "one epoch": (of(SMALL, lambda number: [0.1 * number]), {"space": SMALL, "max_epochs": 1}),
    "all failed at once": (of(SMALL, lambda _: [], status=Status.FAILED, error="boom"), {"space": SMALL}),
    "all failed later": (of(SMALL, rising, status=Status.FAILED, error="x: y"), {"space": SMALL, "scheduler": ASHA()}),
    "no number": (of(SMALL, lambda _: [NAN, NAN], status=Status.DIVERGED), {"space": SMALL}),
    "infinite": (of(SMALL, lambda number: [INF, -INF, 0.1 * number]), {"space": SMALL}),
    "objective missing": (of(SMALL, lambda _: [None, None]), {"space": SMALL}),
    "objective missing at times": (of(SMALL, lambda number: [None, number / 9, NAN]), {"space": SMALL}),
    "all equal": (of(MIXED, lambda _: [0.5]), {"space": MIXED}),
    "enormous": (of(MIXED, lambda number: [1e300 * (number - 6)]), {"space": MIXED, "objective": LEAST}),
    "tiny differences": (of(SMALL, lambda number: [0.5 + 1e-16 * number]), {"space": SMALL}),
    "choices of every kind": (of(MIXED, rising, 40), {"space": MIXED, "scheduler": Hyperband()}),
    "conditional": (of(CONDITIONAL, rising, 30), {"space": CONDITIONAL, "scheduler": MedianStopping()}),
    "lists": (of(LISTS, rising, 20), {"space": LISTS}),
    "one value": (of(LONE, rising, 9), {"space": LONE, "scheduler": NoScheduler()}),
    "interrupted": (of(SMALL, rising, status=Status.INTERRUPTED), {"space": SMALL}),
    "out of memory": (of(SMALL, lambda _: [0.5], status=Status.OUT_OF_MEMORY, error="OOM"), {"space": SMALL}),
    "paused and promoted": (paused_and_promoted(), {"scheduler": PromotionASHA()}),
    "a population": (paused_and_promoted(), {"scheduler": PopulationBased()}),
    "three sessions": (in_three_sessions(), {}),
    "met later": (met_later(), {}),
    "many epochs": (of(SMALL, lambda number: [number / 9 + epoch / 999 for epoch in range(999)], 4), {"space": SMALL}),
}  # fmt: skip


def make_strange_runs(storage: Path) -> Iterator[tuple[str, Run]]:
    """Make each of the runs, and yield it with what it is."""
    for index, (about, (events, fields)) in enumerate(RUNS.items()):
        yield about, runs.make_run(storage, f"run-{index}", events, experiment=fakes.experiment(**fields))
