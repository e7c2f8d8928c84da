"""What a failure was, and when many alike end a run."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes import MemoryEventLog, experiment, worker_death
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.failures import FailureStreak, error_kind, is_unlikely, reported_failure, shortened
from tune_jobs.engine.decisions.watchdog import Watchdog
from tune_jobs.results import Ending, Noted, RunEnded, Status, TrialEnded, fold
from tune_jobs.searchers import Random

OUT_OF_MEMORY = [
    "ResourceExhaustedError: Graph execution error: OOM when allocating tensor with shape[4096,4096] on GPU:0",
    "InternalError: Failed to call cublas: CUDA_ERROR_OUT_OF_MEMORY",
    "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8589934592 bytes.",
    "JaxRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 68719476736 bytes.",
    "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
    "torch.cuda.OutOfMemoryError: CUDA out of memory.",
    "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB",
    "MemoryError: ",
    "_ArrayMemoryError: Unable to allocate 7.28 TiB for an array with shape (1000000, 1000000)",
    "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.",
]
OTHERS = [
    "ValueError: this configuration never works",
    "ResourceExhaustedError: /runs/x; No space left on device",
    "XlaRuntimeError: INVALID_ARGUMENT: shapes",
    "ValueError: the word MemoryError in a message",
    "Worker unexpectedly exits with a connection error code 2. End of file. There are some potential root causes. "
    "(1) The process is killed by SIGKILL by OOM killer due to high memory usage. (2) ray stop --force is called.",
    "Timed out after 60 s without a finished epoch.",
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
def test_out_of_memory_is_told_from_its_error_s_name(error: str) -> None:
    assert reported_failure(error).status is Status.OUT_OF_MEMORY


@pytest.mark.parametrize("error", OTHERS)
def test_other_errors_are_not(error: str) -> None:
    assert reported_failure(error).status is Status.FAILED


def test_errors_are_alike_whatever_their_numbers_and_addresses() -> None:
    one = error_kind("TypeError: <Dense object at 0x7f01ab> got shape (32, 784)")
    assert one == error_kind("TypeError: <Dense object at 0x7fffff> got shape (64, 28)")
    assert one != error_kind("TypeError: <Conv2D object at 0x7f01ab> got shape (32, 784)")


@given(st.text(), st.integers(1, 3000))
def test_a_cut_text_is_a_prefix_that_fits(text: str, most: int) -> None:
    assert len(shortened(text, most)) <= most
    assert text.startswith(shortened(text, most).removesuffix("…")) or text == shortened(text, most)


@given(st.lists(st.sampled_from(["a", "b", "memory", "good"]), max_size=30), st.integers(1, 4))
def test_failures_in_a_row_are_counted_between_all_else(ends: list[str], limit: int) -> None:
    outcomes = {"a": (Status.FAILED, "E: a 1"), "b": (Status.FAILED, "E: b 2"), "good": (Status.COMPLETED, None)}
    outcomes["memory"] = (Status.OUT_OF_MEMORY, "MemoryError: ")
    streak = FailureStreak(limit)
    for index, end in enumerate(ends):
        last = ends[max(0, index + 1 - limit) : index + 1]
        assert streak.record_end(index, *outcomes[end]) == (
            len(last) == limit and last in (["a"] * limit, ["b"] * limit)
        )


def rows_that_end_a_run(fails: Iterable[bool]) -> list[int]:
    """After how many trials, each a failure or sound, a run would end."""
    streak, ends = FailureStreak(5), []
    for trial, failed in enumerate(fails):
        if not failed:
            streak.sound.add(trial)
        outcome = (Status.FAILED, "ValueError: too deep") if failed else (Status.COMPLETED, None)
        if streak.record_end(trial, *outcome):
            ends.append(trial + 1)
    return ends


def test_five_failures_in_a_row_say_little_where_half_of_all_trials_fail_so() -> None:
    for seed in range(20):
        rng = random.Random(seed)  # noqa: S311 - no secrets
        assert rows_that_end_a_run([True, False] * 5 + [rng.random() < 0.5 for _ in range(1000)]) == []


def test_code_that_breaks_in_the_middle_of_a_run_ends_it() -> None:
    assert rows_that_end_a_run([False] * 50 + [True] * 6) == [55, 56]
    assert rows_that_end_a_run([True, False] * 10 + [True] * 30)[0] == 20 + 20


@given(st.integers(5, 200), st.integers(0, 200), st.integers(0, 200))
def test_a_longer_row_is_less_likely_and_failures_before_make_it_likelier(row: int, failed: int, sound: int) -> None:
    if is_unlikely(row, failed, failed + sound):
        assert is_unlikely(row + 1, failed, failed + sound)
    else:
        assert not is_unlikely(row, failed + 1, failed + 1 + sound)


def test_a_trial_that_fails_after_good_epochs_is_not_sound() -> None:
    streak = FailureStreak(2)
    told = []
    for trial in range(2):
        streak.sound.add(trial)
        told.append(streak.record_end(trial, Status.FAILED, f"ValueError: epoch {trial}"))
    assert told == [False, True]


def failing(**fields: Any) -> tuple[Coordinator, MemoryEventLog]:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(trials=50, searcher=Random(), **fields), log, clock=lambda: 0.0)
    for _ in range(50):
        proposal = coordinator.propose()
        if proposal is None:
            break
        trial, _ = proposal
        coordinator.start(trial, "here")
        coordinator.report(trial, {"done": True, "error": f"ValueError: no file part-{trial}.csv"})
    coordinator.finish()
    return coordinator, log


def test_trials_that_all_fail_alike_end_the_run() -> None:
    coordinator, log = failing(same_failures=4)
    assert sum(isinstance(event, TrialEnded) for event in log.events) == 4
    assert "4 trials in a row failed with the same error, the last of them trial 3: ValueError" in coordinator.failure
    ended = log.events[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.error) == (Ending.FAILED, coordinator.failure)


def test_a_resumed_run_counts_them_anew() -> None:
    _, log = failing(same_failures=4)
    resumed = Coordinator(experiment(trials=50, searcher=Random(), same_failures=4), MemoryEventLog())
    resumed.replay(log.events)
    assert (resumed.failure, resumed.is_over) == (None, False)
    for trial in range(4, 8):
        assert resumed.failure is None
        assert resumed.propose() is not None
        resumed.start(trial, "here")
        resumed.report(trial, {"done": True, "error": "ValueError: no file part-1.csv"})
    assert "4 trials in a row" in (resumed.failure or "")


def test_a_streak_that_was_reset_counts_as_earlier_failures() -> None:
    streak = FailureStreak(5)
    for trial in range(4):
        streak.record_end(trial, Status.FAILED, f"ValueError: no file part-{trial}.csv")
    assert (streak.length, streak.earlier_failures) == (4, 0)
    streak.reset()
    assert (streak.length, streak.earlier_failures) == (0, 4)


def test_a_trial_whose_worker_died_is_proposed_again_with_a_note() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(trials=1, searcher=Random(), max_retries=1), log)
    trial, config = coordinator.propose() or (0, {})
    assert coordinator.propose() is None
    assert not coordinator.is_idle  # else Ray would not ask again
    coordinator.lose_worker(trial, worker_death("The actor died."))
    assert coordinator.propose() == (trial, config)
    (note,) = [event for event in log.events if isinstance(event, Noted)]
    assert (note.trial, "retry 1 of 1" in note.text) == (trial, True)


def test_a_trial_whose_worker_dies_when_the_run_is_over_is_interrupted() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(searcher=Random()), log)
    trial, _ = coordinator.propose() or (0, {})
    coordinator.start(trial, "here")
    coordinator.interrupt()
    coordinator.lose_worker(trial, worker_death("The actor died."))
    assert coordinator.propose() is None
    coordinator.finish()
    assert fold(log.events).trials[trial].status is Status.INTERRUPTED


def test_a_missing_objective_is_a_failed_trial() -> None:
    log = MemoryEventLog()
    coordinator = Coordinator(experiment(searcher=Random()), log)
    trial, _ = coordinator.propose() or (0, {})
    coordinator.start(trial, "here")
    good = {"epoch": 1, "metrics": {"val_accuracy": 0.5}, "seconds": 1.0, "done": False}
    assert not coordinator.report(trial, good)
    assert coordinator.report(trial, {**good, "epoch": 2, "metrics": {"accuracy": 0.5}})
    ended = fold(log.events).trials[trial]
    assert (ended.status, len(ended.epochs)) == (Status.FAILED, 1)
    assert "val_accuracy" in ended.error


def test_a_trial_that_hangs_is_told_once_and_not_retried() -> None:
    now_s = 0.0
    log = MemoryEventLog()
    declared = experiment(searcher=Random(), trial_timeout_s=10.0)
    coordinator = Coordinator(declared, log, clock=lambda: now_s)
    numbers = [(coordinator.propose() or (0, {}))[0] for _ in range(2)]
    for number in numbers:
        coordinator.start(number, "here")
    told = []
    for second in range(30):
        now_s = float(second)
        told += coordinator.hanging_trials()
        if numbers[0] not in told and second % 6 == 0:
            epoch = 1 + second // 6
            metrics = {"val_accuracy": 0.5}
            coordinator.report(numbers[0], {"epoch": epoch, "metrics": metrics, "seconds": 1.0, "done": epoch == 9})
    assert told == [numbers[1]]
    coordinator.lose_worker(numbers[1], worker_death("The actor is dead because it was killed by ray.kill."))
    ended = fold(log.events).trials[numbers[1]]
    assert (ended.status, ended.reason) == (Status.FAILED, "timed out")
    assert ended.error == "Timed out after 10 s without a finished epoch."


def test_silence_does_not_count_while_the_driver_stands_still() -> None:
    watchdog = Watchdog(60.0)
    watchdog.hanging(0.0)
    watchdog.reset(7)
    assert watchdog.hanging(3600.0) == []
    assert [second for second in range(3601, 3700) if watchdog.hanging(float(second))] == [3655]


@given(st.lists(st.booleans(), max_size=60))
def test_who_is_heard_in_time_is_never_ended_and_others_are(heard: list[bool]) -> None:
    watchdog, since_s = Watchdog(4.0), 0
    watchdog.reset(1)
    for now_s, is_heard in enumerate(heard):
        if is_heard:
            watchdog.reset(1)
            since_s = now_s
        late = watchdog.hanging(float(now_s))
        assert (now_s - since_s >= 4 - 1) if late else (now_s - since_s <= 4)
        if late:
            assert (late, watchdog.forget(1), watchdog.forget(1)) == ([1], True, False)
            return


class FullDisk(MemoryEventLog):
    """Takes so many events, and no more."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def event(self, event: Any) -> None:
        if len(self.events) >= self.room:
            raise OSError(28, "No space left on device")
        super().event(event)


@given(st.integers(0, 40))
@settings(deadline=None, max_examples=25)
def test_a_journal_that_cannot_be_written_ends_the_run_and_has_no_gap(room: int) -> None:
    declared = experiment(trials=4, searcher=Random())
    whole, cut_off = MemoryEventLog(), FullDisk(room)
    for log in (whole, cut_off):
        coordinator = Coordinator(declared, log, clock=lambda: 0.0)
        coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
        while (proposal := coordinator.propose()) is not None:
            trial, config = proposal
            coordinator.start(trial, "here")
            for epoch in range(1, 10):
                metrics = {"val_accuracy": config["x"] * (1 - math.exp(-epoch))}
                result = {"epoch": epoch, "metrics": metrics, "seconds": 1.0, "done": epoch == 9}
                if coordinator.report(trial, result):
                    break
        coordinator.finish()
    assert cut_off.events == whole.events[:room]
    if room < len(whole.events) - 1:
        assert "No space left on device" in (coordinator.failure or "")
        resumed = Coordinator(declared, MemoryEventLog())
        resumed.replay(cut_off.events)
        assert not resumed.is_over
