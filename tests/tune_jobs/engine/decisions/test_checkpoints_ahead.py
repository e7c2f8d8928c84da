"""A run whose journal lost lines is resumed from newer checkpoints: simulated workers that keep checkpoints."""

from __future__ import annotations

import math
import random
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from tests.support.examples import with_examples
from tests.support.fakes import experiment
from trainables.report import Epoch
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import (
    EpochReported,
    Event,
    JournalError,
    JournalWriter,
    Noted,
    Status,
    TrialEnded,
    fold,
    read_journal,
)
from tune_jobs.results.leaderboard import columns_of, leaderboard
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import HyperOpt, Random

Checkpoints = dict[int, list[int]]


class JournalLog:
    """An event log that is a journal on the disk."""

    def __init__(self, journal: Path) -> None:
        self.events: list[Event] = []
        self._writer = JournalWriter(journal)

    def event(self, event: Event) -> None:
        self._writer.write(event)
        self.events.append(event)

    def traceback(self, trial: int, text: str) -> None:
        raise AssertionError(text)


def measured(number: int, config: Mapping[str, Any]) -> Epoch:
    return Epoch(number, {"val_accuracy": config["x"] * (1 - math.exp(-number))}, 1.0)


def train(declared: Experiment, journal: Path, checkpoints: Checkpoints) -> JournalLog:
    """Run or resume an experiment on one worker, which saves a checkpoint after every epoch.

    Every third trial ends itself at its third epoch, which is a rung.
    """
    earlier = read_journal(journal) if journal.exists() else []
    log = JournalLog(journal)
    coordinator = Coordinator(declared, log, clock=lambda: 0.0)
    coordinator.replay(earlier)
    coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=1)
    while isinstance(proposal := coordinator.propose(), tuple):
        trial, config = proposal
        coordinator.start(trial, "here")
        saved = max(checkpoints.get(trial, []), default=0)
        lost = [measured(number, config) for number in range(coordinator.reported_epochs(trial) + 1, saved)]
        number, has_ended = saved or 1, False
        while not has_ended:
            done = number == declared.max_epochs or (trial % 3 == 0 and number == 3)
            checkpoints.setdefault(trial, []).append(number)
            report = measured(number, config).report(done=done, earlier_epochs=lost)
            has_ended = coordinator.report(trial, report)
            number, lost = number + 1, []
    coordinator.finish()
    return log


def board(declared: Experiment, journal: Path) -> Any:
    return leaderboard(fold(read_journal(journal)), declared.objective, columns_of(declared.space))


def any_two(checkpoints: Checkpoints, seed: int) -> Checkpoints:
    """Return any two of the checkpoints of each trial, or fewer."""
    choose = random.Random(seed)  # noqa: S311 - no secret
    return {
        trial: choose.sample(epochs, choose.randint(0, min(2, len(epochs)))) for trial, epochs in checkpoints.items()
    }


@pytest.mark.parametrize("searcher", [Random(), HyperOpt(startup_trials=4)])
@given(cut=st.floats(0, 1), seed=st.integers(0, 10**6))
@with_examples(20)
def test_a_journal_that_was_cut_anywhere_ends_as_a_whole_one(searcher: Any, cut: float, seed: int) -> None:
    declared = experiment(trials=12, searcher=searcher)
    with tempfile.TemporaryDirectory() as folder:
        whole, damaged = Path(folder, "whole.jsonl"), Path(folder, "damaged.jsonl")
        checkpoints: Checkpoints = {}
        train(declared, whole, checkpoints)
        damaged.write_bytes(whole.read_bytes()[: int(cut * whole.stat().st_size)])
        train(declared, damaged, any_two(checkpoints, seed))
        assert_frame_equal(board(declared, damaged), board(declared, whole))


def readable(journal: Path) -> None:
    """Follow the advice of the errors: remove the lines that are no events."""
    while True:
        try:
            read_journal(journal)
        except JournalError as error:
            lines = journal.read_bytes().splitlines(keepends=True)
            (number,) = re.findall(r"line (\d+) is no event", str(error))
            del lines[int(number) - 1]
            journal.write_bytes(b"".join(lines))
        else:
            return


@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), seed=st.integers(0, 10**6))
@with_examples(60)
def test_a_changed_byte_of_an_epoch_or_an_end_is_noticed_and_mended(place: float, byte: int, seed: int) -> None:
    declared = experiment(trials=4, max_epochs=4, searcher=Random(), scheduler=NoScheduler())
    with tempfile.TemporaryDirectory() as folder:
        whole, damaged = Path(folder, "whole.jsonl"), Path(folder, "damaged.jsonl")
        checkpoints: Checkpoints = {}
        train(declared, whole, checkpoints)
        lines = whole.read_bytes().splitlines(keepends=True)
        chosen = [index for index, line in enumerate(lines) if b'"epoch"' in line or b'"trial_ended"' in line]
        index = chosen[int(place * len(chosen))]
        changed = bytearray(lines[index])
        position = seed % (len(changed) - 1)
        changed[position] = byte if byte != changed[position] else byte ^ 1
        damaged.write_bytes(b"".join([*lines[:index], bytes(changed), *lines[index + 1 :]]))
        readable(damaged)
        before = fold(read_journal(damaged))
        assert before.damages
        train(declared, damaged, any_two(checkpoints, seed))
        assert_frame_equal(board(declared, damaged), board(declared, whole))


def begun(folder: Path, **fields: Any) -> tuple[Coordinator, JournalLog]:
    """Return a coordinator whose trial 0 is being trained."""
    log = JournalLog(folder / "journal.jsonl")
    coordinator = Coordinator(experiment(searcher=Random(), **fields), log)
    assert isinstance(coordinator.propose(), tuple)
    coordinator.start(0, "here")
    return coordinator, log


def epoch(number: int, value: float = 0.5) -> Epoch:
    return Epoch(number, {"val_accuracy": value}, 1.0)


def epochs_of(log: JournalLog) -> list[int]:
    return [event.epoch for event in log.events if isinstance(event, EpochReported)]


def test_what_the_journal_lacks_is_written_before_the_trial_goes_on(tmp_path: Path) -> None:
    coordinator, log = begun(tmp_path, scheduler=NoScheduler())
    assert not coordinator.report(0, epoch(1).report(done=False))
    assert not coordinator.report(0, epoch(5).report(done=False, earlier_epochs=[epoch(n) for n in (1, 2, 3, 4)]))
    assert epochs_of(log) == [1, 2, 3, 4, 5]
    (note,) = [event for event in log.events if isinstance(event, Noted)]
    assert (note.trial, note.text) == (0, "The journal lacked its epochs 2 to 4, which its checkpoint brought back.")


def test_a_rung_among_the_epochs_that_a_checkpoint_brings_is_judged(tmp_path: Path) -> None:
    coordinator, log = begun(tmp_path, trials=9)
    for trial in range(1, 5):
        assert isinstance(coordinator.propose(), tuple)
        coordinator.start(trial, "here")
        coordinator.report(trial, epoch(1, 0.9).report(done=False))
    assert coordinator.report(0, epoch(3, 0.1).report(done=False, earlier_epochs=[epoch(1, 0.1), epoch(2, 0.1)]))
    end = log.events[-1]
    assert isinstance(end, TrialEnded)
    assert (end.trial, end.status, end.epochs) == (0, Status.STOPPED, 1)
    assert end.reason.startswith("rung 1: place ")


def test_epochs_that_a_checkpoint_brings_count_for_the_total(tmp_path: Path) -> None:
    coordinator, log = begun(tmp_path, trials=None, total_epochs=3, scheduler=NoScheduler())
    assert coordinator.report(0, epoch(6).report(done=False, earlier_epochs=[epoch(n) for n in range(1, 6)]))
    assert epochs_of(log) == [1, 2, 3]
