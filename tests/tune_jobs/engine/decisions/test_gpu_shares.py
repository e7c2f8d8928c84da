"""The share of the GPUs that each trial gets, decided without Ray and without a GPU."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import MemoryEventLog, experiment
from tune_jobs.base.amounts import UNITS, share_of_one, to_units
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.failures import FailureCause, reported_failure
from tune_jobs.engine.decisions.gpu_shares import MEASURED_TRIALS, GpuShares, larger_share
from tune_jobs.experiment.resources import Resources
from tune_jobs.results import Noted, Status, TrialEnded, TrialStarted, fold
from tune_jobs.results.journal.lines import decode, encode
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import WAIT, Random

GPU_OOM = "ResourceExhaustedError: OOM when allocating tensor on device:GPU:0 by allocator GPU_0_bfc"
HOST_OOM = "MemoryError: Unable to allocate 7 TiB"
GIB = 2**30


class Trials:
    """Trials that need a part of a GPU of 16 GiB; as many are at work as fit."""

    def __init__(self, declared: Any, needs: list[float], gpus: float = 1) -> None:
        self.needs = needs
        self.gpus = gpus
        self.is_auto = declared.resources.gpus == "auto"  # else Ray divides the GPUs, not the coordinator
        self.log = MemoryEventLog()
        self.coordinator = Coordinator(declared, self.log, clock=lambda: 0.0)
        self.at_work: list[int] = []
        self.most_at_once = 0

    def run(self, results: int = 1000) -> Trials:
        coordinator = self.coordinator
        coordinator.begin(cpus=99, gpus=self.gpus, max_concurrent_trials=99)
        for _ in range(results):
            self._propose()
            if not self.at_work:
                break
            self._report(self.at_work.pop(0))
        return self

    def _propose(self) -> None:
        shares = self.coordinator.shares
        while (proposal := self.coordinator.propose()) not in (None, WAIT):
            trial, _ = proposal
            self.at_work.append(trial)
            self.coordinator.start(trial, "here")
            units = sum(to_units(shares.share_of(number)) for number in self.at_work)
            assert units <= to_units(self.gpus) or not self.is_auto
            self.most_at_once = max(self.most_at_once, len(self.at_work))

    def _report(self, trial: int) -> None:
        has, needs = self.coordinator.shares.share_of(trial), self.needs[trial]
        if needs > has:
            assert self.coordinator.report(trial, {"done": True, "error": GPU_OOM})
            return
        memory = {"peak_bytes": int(needs * 16 * GIB), "total_bytes": 16 * GIB}
        result = {"epoch": 1, "metrics": {"val_accuracy": 0.5}, "seconds": 1.0, "done": True, "gpu_memory": memory}
        assert self.coordinator.report(trial, result)

    def starts(self) -> dict[int, list[float | None]]:
        started: dict[int, list[float | None]] = {}
        for event in self.log.events:
            if isinstance(event, TrialStarted):
                started.setdefault(event.trial, []).append(event.gpus)
        return started

    def notes(self) -> list[str]:
        return [event.text for event in self.log.events if isinstance(event, Noted)]


def declared(gpus: Any, trials: int, **fields: Any) -> Any:
    resources = Resources(gpus=gpus)
    return experiment(resources=resources, trials=trials, searcher=Random(), scheduler=NoScheduler(), **fields)


def test_without_growth_a_trial_that_exceeds_its_share_is_out_of_memory() -> None:
    trials = Trials(declared(0.25, 2), [0.1, 0.3]).run()
    assert trials.starts() == {0: [0.25], 1: [0.25]}
    assert fold(trials.log.events).trials[1].status is Status.OUT_OF_MEMORY


def test_with_growth_it_gets_twice_the_share_up_to_a_whole_gpu_and_then_fails() -> None:
    trials = Trials(declared(0.3, 3, on_oom="grow"), [0.1, 0.9, 1.5]).run()
    assert trials.starts() == {0: [0.3], 1: [0.3, 0.6, 1.0], 2: [0.3, 0.6, 1.0]}
    statuses = [trial.status for trial in fold(trials.log.events).trials.values()]
    assert statuses == [Status.COMPLETED, Status.COMPLETED, Status.OUT_OF_MEMORY]
    assert sum(isinstance(event, TrialEnded) for event in trials.log.events) == 3
    assert "ran out of 0.3 of a GPU, and is tried again with 0.6" in trials.notes()[0]


@pytest.mark.parametrize("gpus", [0, 1, 2])
def test_without_a_part_of_a_gpu_there_is_nothing_to_grow(gpus: int) -> None:
    shares = GpuShares(Resources(gpus=gpus), "grow")
    assert shares.grow(0, reported_failure(GPU_OOM)) is None
    assert not shares.can_vary
    assert shares.own_gpus(0) is None


def test_the_machine_s_own_memory_does_not_grow_with_the_gpu() -> None:
    shares = GpuShares(Resources(gpus=0.25), "grow")
    assert shares.grow(0, reported_failure(HOST_OOM)) is None
    assert shares.grow(0, reported_failure("ValueError: no")) is None
    assert shares.share_of(0) == 0.25
    cpu = "ResourceExhaustedError: OOM when allocating tensor on /job:localhost/device:CPU:0 by allocator cpu"
    assert reported_failure(cpu).cause is FailureCause.HOST_MEMORY
    for gpu in (GPU_OOM, "InternalError: cuBLAS: CUBLAS_STATUS_ALLOC_FAILED"):
        assert reported_failure(gpu).cause is FailureCause.GPU_MEMORY


def test_nothing_else_is_proposed_while_a_trial_waits_for_a_larger_share() -> None:
    coordinator = Coordinator(declared(0.25, 9, on_oom="grow"), MemoryEventLog())
    coordinator.begin(cpus=9, gpus=1, max_concurrent_trials=4)
    numbers = [(coordinator.propose() or (0, {}))[0] for _ in range(3)]
    for number in numbers:
        coordinator.start(number, "here")
    assert coordinator.report(1, {"done": True, "error": GPU_OOM})
    assert coordinator.propose()[0] == 1
    assert coordinator.shares.own_gpus(1) == 0.5
    assert coordinator.propose() is WAIT
    coordinator.start(1, "here")
    assert coordinator.propose()[0] == 3


def test_auto_measures_the_first_trials_and_then_fills_the_gpu() -> None:
    trials = Trials(declared("auto", 20), [0.1] * 20).run()
    starts = trials.starts()
    assert [starts[number] for number in range(MEASURED_TRIALS)] == [[1.0]] * MEASURED_TRIALS
    assert {tuple(starts[number]) for number in range(MEASURED_TRIALS, 20)} == {(0.2,)}
    assert trials.most_at_once == 5  # 16 GiB / 5 less 0.75 GiB for CUDA is 2.45 GiB; 1.25 x 1.6 GiB are 2
    assert "from now on, 5 share one (0.2 each)" in trials.notes()[0]


def test_after_auto_a_trial_that_needs_more_grows() -> None:
    trials = Trials(declared("auto", 6), [0.1, 0.1, 0.1, 0.1, 0.7, 0.1]).run()
    assert trials.starts()[4] == [0.2, 0.4, 0.8]


def test_trials_that_need_a_whole_gpu_keep_one_each() -> None:
    trials = Trials(declared("auto", 5), [0.9] * 5, gpus=2).run()
    assert set(map(tuple, trials.starts().values())) == {(1.0,)}
    assert trials.most_at_once == 2


def test_auto_without_a_gpu_to_measure_waits_for_no_one() -> None:
    shares = GpuShares(Resources(gpus="auto"), "fail")
    shares.begin(gpus=0.5)  # a cluster whose GPUs have not joined yet
    assert shares.has_room(0)
    log = MemoryEventLog()
    coordinator = Coordinator(declared("auto", 3), log)
    coordinator.begin(cpus=1, gpus=0.5, max_concurrent_trials=1)
    trial, _ = coordinator.propose() or (0, {})
    coordinator.start(trial, "here")
    measured_nothing = {"epoch": 1, "metrics": {"val_accuracy": 0.5}, "seconds": 1.0, "done": True}
    assert coordinator.report(trial, measured_nothing)
    assert not any(isinstance(event, Noted) for event in log.events)


@given(st.integers(1, 60))
def test_a_resumed_run_keeps_shares_and_goes_on_where_it_was(results: int) -> None:
    needs = [0.1, 0.1, 0.1, 0.1, 0.7, 0.1, 2.0, 0.1, 0.1]
    whole, cut = (Trials(declared("auto", 9), needs).run(count) for count in (1000, results))
    resumed = Trials(declared("auto", 9), needs)
    events = [decode(encode(event)) for event in cut.log.events]
    resumed.coordinator.replay(events)
    resumed.run()
    statuses = {number: trial.status for number, trial in fold(whole.log.events).trials.items()}
    again = {number: trial.status for number, trial in fold([*events, *resumed.log.events]).trials.items()}
    assert again == statuses
    if any(gpus < 1 for shares in cut.starts().values() for gpus in shares):
        assert not any("from now on" in note for note in resumed.notes())
        assert {shares[0] for number, shares in resumed.starts().items() if number not in cut.starts()} <= {0.2}


def test_a_journal_from_before_there_were_shares_is_read() -> None:
    line = b'{"event":"trial_started","time_s":1.0,"trial":0,"config":{},"node":"a"}\n'
    started = decode(line)
    assert isinstance(started, TrialStarted)
    assert started.gpus is None
    shares = GpuShares(Resources(gpus=0.5), "grow")
    shares.replay([started])
    assert shares.share_of(0) == 0.5


@given(st.integers(1, 16))
def test_as_many_shares_as_were_promised_fit_on_a_gpu(trials: int) -> None:
    units = to_units(share_of_one(trials))
    assert units * trials <= UNITS < units * (trials + 1) + trials


@given(st.floats(0.001, 1, exclude_max=True))
def test_a_larger_share_is_larger_and_at_most_a_gpu(gpus: float) -> None:
    assert gpus < larger_share(gpus) <= 1
