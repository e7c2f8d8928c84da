"""The causes of failures, and the streaks of failures that end a run."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import MemoryEventLog, experiment
from tune_jobs.base.plain_text import plain_text
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.failures import FailureStreak, error_kind, is_unlikely, reported_failure, shortened
from tune_jobs.results import Ending, RunEnded, Status, TrialEnded
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


@given(st.text().map(plain_text), st.integers(1, 3000))
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


def ends_of_a_run(fails: Iterable[bool]) -> list[int]:
    """The numbers of trials, each a failure or sound, after which a run would end."""
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
        assert ends_of_a_run([True, False] * 5 + [rng.random() < 0.5 for _ in range(1000)]) == []


def test_code_that_breaks_in_the_middle_of_a_run_ends_it() -> None:
    assert ends_of_a_run([False] * 50 + [True] * 6) == [55, 56]
    assert ends_of_a_run([True, False] * 10 + [True] * 30)[0] == 20 + 20


@given(st.integers(5, 200), st.integers(0, 200), st.integers(0, 200))
def test_a_longer_streak_is_less_likely_and_earlier_failures_make_it_likelier(
    streak: int, failed: int, sound: int
) -> None:
    if is_unlikely(streak, failed, failed + sound):
        assert is_unlikely(streak + 1, failed, failed + sound)
    else:
        assert not is_unlikely(streak, failed + 1, failed + 1 + sound)


def test_a_trial_that_fails_after_good_epochs_is_not_sound() -> None:
    streak = FailureStreak(2)
    verdicts = []
    for trial in range(2):
        streak.sound.add(trial)
        verdicts.append(streak.record_end(trial, Status.FAILED, f"ValueError: epoch {trial}"))
    assert verdicts == [False, True]


def run_of_failures(**fields: Any) -> tuple[Coordinator, MemoryEventLog]:
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
    coordinator, log = run_of_failures(same_failures=4)
    assert sum(isinstance(event, TrialEnded) for event in log.events) == 4
    assert "4 trials in a row failed with the same error, the last of them trial 3: ValueError" in coordinator.failure
    ended = log.events[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.error) == (Ending.FAILED, coordinator.failure)


def test_a_resumed_run_counts_them_anew() -> None:
    _, log = run_of_failures(same_failures=4)
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
