"""A sweep in the coordinator: its steps wait for each other, and a resumed run takes the same way."""

from __future__ import annotations

import heapq
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Choice, SearchSpace
from tests.support.examples import with_examples
from tests.support.fakes import MemoryEventLog, experiment, worker_death
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, RunEnded, TrialEnded, TrialStarted, fold
from tune_jobs.schedulers import ASHA, NoScheduler, Scheduler
from tune_jobs.searchers import WAIT, Sweep

SPACE = SearchSpace(
    x=Choice(0.1, 0.3, 0.2),
    y=Choice("a", "b", "broken", "c"),
    z=Choice(0, 1).when(y=["b", "c"]),
)


class Workers:
    """Workers that train by a formula, on a clock of their own. Without a trial, they ask again at every event."""

    def __init__(self, declared: Experiment, workers: int) -> None:
        self.declared = declared
        self.log = MemoryEventLog()
        self.workers = workers
        self.now_s = 0.0
        self.running: dict[int, dict[str, Any]] = {}
        self.waits = 0
        self.heap: list[tuple[float, int, int]] = []

    def run(self, earlier: list[Event]) -> Workers:
        self.log.events = list(earlier)
        self.reached = {number: max(trial.epochs, default=1) for number, trial in fold(earlier).trials.items()}
        coordinator = Coordinator(self.declared, self.log, clock=lambda: self.now_s)
        coordinator.replay(earlier)
        coordinator.begin(cpus=2, gpus=0, max_concurrent_trials=self.workers)
        while not coordinator.is_over:
            self._fill(coordinator)
            if not self.heap:
                break
            self.now_s, trial, epoch = heapq.heappop(self.heap)
            if coordinator.report(trial, self._result(trial, epoch)):
                del self.running[trial]
            else:
                self._train(trial, epoch + 1)
        coordinator.finish()
        return self

    def _fill(self, coordinator: Coordinator) -> None:
        while len(self.heap) < self.workers:
            proposal = coordinator.propose()
            if proposal is WAIT:
                assert self.heap, "it waits for nothing, so the run would never end"
                self.waits += 1
                return
            if proposal is None:
                return
            trial, config = proposal
            assert trial not in self.running
            self.running[trial] = config
            coordinator.start(trial, "here")
            self._train(trial, self.reached.get(trial, 1))

    def _train(self, trial: int, epoch: int) -> None:
        heapq.heappush(self.heap, (self.now_s + 1 + trial % 3, trial, epoch))

    def _result(self, trial: int, epoch: int) -> dict[str, Any]:
        config = self.running[trial]
        if config["y"] == "broken":
            return {"done": True, "error": "ValueError: broken", "traceback": "…"}
        value = (config["x"] + (config["y"] == "c") + config.get("z", 0)) * (1 - math.exp(-epoch))
        done = epoch == self.declared.max_epochs
        return {"epoch": epoch, "metrics": {"val_accuracy": value}, "seconds": 1.0, "done": done}


def swept(scheduler: Scheduler | None = None, **fields: Any) -> Experiment:
    fields = {"space": SPACE, "searcher": Sweep(), "trials": None, "max_epochs": 3, **fields}
    return experiment(scheduler=scheduler or NoScheduler(), **fields)


def tried(workers: Workers) -> dict[int, Any]:
    return {number: trial.config for number, trial in fold(workers.log.events).trials.items()}


WAY = [
    {"x": 0.1, "y": "a"},
    {"x": 0.3, "y": "a"},
    {"x": 0.2, "y": "a"},
    {"x": 0.3, "y": "b", "z": 0},
    {"x": 0.3, "y": "broken"},
    {"x": 0.3, "y": "c", "z": 0},
    {"x": 0.3, "y": "c", "z": 1},
]


@given(workers=st.integers(1, 5))
@with_examples(10)
def test_any_number_of_workers_goes_the_same_way(workers: int) -> None:
    done = Workers(swept(), workers).run([])
    assert tried(done) == dict(enumerate(WAY))
    assert fold(done.log.events).reason == "all trials"
    assert (done.waits > 0) == (workers > 1)


def test_no_step_begins_before_the_one_before_has_ended() -> None:
    steps = {0: (0, 1, 2), 1: (3, 4, 5), 2: (6,)}
    ended: set[int] = set()
    for event in Workers(swept(), 4).run([]).log.events:
        if isinstance(event, TrialEnded):
            ended.add(event.trial)
        if isinstance(event, TrialStarted):
            step = next(step for step, trials in steps.items() if event.trial in trials)
            assert ended.issuperset(trial for earlier in range(step) for trial in steps[earlier])


@given(cut=st.floats(0, 1), workers=st.integers(1, 5), again=st.integers(1, 5), asha=st.booleans())
@with_examples(60)
def test_a_sweep_that_was_cut_anywhere_goes_the_same_way(cut: float, workers: int, again: int, asha: bool) -> None:
    declared = swept(ASHA() if asha and workers == again == 1 else None)
    whole = Workers(declared, workers).run([])
    events = whole.log.events[: 1 + int(cut * (len(whole.log.events) - 1))]
    resumed = Workers(declared, again).run(events)
    assert tried(resumed) == tried(whole)
    reported = [(event.trial, event.epoch) for event in resumed.log.events if isinstance(event, EpochReported)]
    assert len(reported) == len(set(reported))


@given(lost=st.integers(0, 6), workers=st.integers(1, 4))
@with_examples(30)
def test_a_trial_that_was_proposed_but_never_started_is_neither_lost_nor_repeated(lost: int, workers: int) -> None:
    """Its worker was still being made when the run was killed, and others of its step had begun."""
    whole = Workers(swept(), 4).run([]).log.events
    begun = [event.trial for event in whole if isinstance(event, TrialStarted)]
    last = next(index for index, event in enumerate(whole) if getattr(event, "trial", -1) == begun[-1])
    for cut in (last, len(whole)):
        events = [event for event in whole[:cut] if getattr(event, "trial", -1) != lost]
        followers = {trial for trial in begun if trial > lost and not _same_step(trial, lost)}
        events = [event for event in events if getattr(event, "trial", -1) not in followers]
        events = [event for event in events if not isinstance(event, RunEnded)]
        assert tried(Workers(swept(), workers).run(events)) == dict(enumerate(WAY))


def _same_step(one: int, other: int) -> bool:
    return min(one // 3, 2) == min(other // 3, 2)


def test_the_plan_may_end_a_sweep_early_and_be_extended() -> None:
    first = Workers(swept(trials=4), 2).run([])
    assert tried(first) == dict(enumerate(WAY[:4]))
    assert tried(Workers(swept(), 2).run(first.log.events)) == dict(enumerate(WAY))


def test_a_step_whose_last_worker_died_goes_on() -> None:
    coordinator = Coordinator(swept(max_retries=0), MemoryEventLog())
    for trial in range(3):
        coordinator.propose()
        coordinator.start(trial, "here")
    for trial in range(3):
        assert coordinator.propose() is WAIT
        coordinator.lose_worker(trial, worker_death("The actor died"))
    assert coordinator.propose() == (3, {"x": 0.1, "y": "b", "z": 0})
