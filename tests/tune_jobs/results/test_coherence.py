"""What a damaged journal claims without showing it does not count."""

from __future__ import annotations

from pathlib import Path

import pytest

from tune_jobs.results import (
    Ending,
    EpochReported,
    Event,
    JournalError,
    JournalWriter,
    Noted,
    RunEnded,
    Status,
    TrialEnded,
    TrialPaused,
    TrialStarted,
    fold,
    read_journal,
)
from tune_jobs.results.journal.lines import encode


def epoch(number: int) -> EpochReported:
    return EpochReported(time_s=2.0, trial=0, epoch=number, metrics={"loss": 1.0}, seconds=1.0, done=number == 6)


STARTED = TrialStarted(time_s=1.0, trial=0, config={}, node="here")
ENDED = TrialEnded(time_s=3.0, trial=0, status=Status.COMPLETED, reason="all 6 epochs", error=None, epochs=6)
RUN_ENDED = RunEnded(time_s=4.0, reason=Ending.TRIALS, error=None)
WHOLE: list[Event] = [STARTED, *map(epoch, range(1, 7)), ENDED, RUN_ENDED]


def without(*lost: Event) -> list[Event]:
    return [event for event in WHOLE if event not in lost]


def test_a_whole_journal_has_no_damage() -> None:
    history = fold(WHOLE)
    assert (history.damages, history.trials[0].status, len(history.trials[0].epochs)) == ([], Status.COMPLETED, 6)


@pytest.mark.parametrize(
    ("lost", "epochs", "damage"),
    [
        ([epoch(4), epoch(5)], 3, "lacks epochs 4 to 5 of trial 0, so its later epochs do not count"),
        ([epoch(1)], 0, "lacks epoch 1 of trial 0, so its later epochs do not count"),
        ([epoch(5), epoch(6)], 4, "lacks epochs 5 to 6 of trial 0, so its end does not count"),
        ([ENDED], 6, "lacks the end of trial 0"),
    ],
)
def test_a_trial_counts_as_no_more_than_the_journal_shows(lost: list[Event], epochs: int, damage: str) -> None:
    history = fold(without(*lost))
    (told,) = history.damages
    assert damage in told
    assert (history.trials[0].status, len(history.trials[0].epochs)) == (Status.INTERRUPTED, epochs)


def test_an_end_of_an_older_version_counts_as_it_did() -> None:
    old = TrialEnded(time_s=3.0, trial=0, status=Status.COMPLETED, reason="all 6 epochs", error=None)
    assert fold([STARTED, epoch(1), old]).trials[0].status is Status.COMPLETED


def test_what_was_trained_again_fills_the_gap_and_a_note_that_says_it_ends_the_damage() -> None:
    lost = without(epoch(4), epoch(5))
    (damage,) = fold(lost).damages
    note = Noted(time_s=5.0, trial=None, text=damage)
    history = fold([*lost, note, STARTED, epoch(4), epoch(5), epoch(6), ENDED, RUN_ENDED])
    assert (history.damages, history.trials[0].status) == ([], Status.COMPLETED)
    assert list(history.trials[0].epochs) == [1, 2, 3, 4, 5, 6]


def is_noticed(journal: Path, content: bytes) -> bool:
    journal.write_bytes(content)
    try:
        return bool(fold(read_journal(journal)).damages)
    except JournalError:
        return True


def test_every_line_that_is_missing_copied_or_changed_is_noticed(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with JournalWriter(journal) as writer:
        for event in WHOLE:
            writer.write(event)
    lines = journal.read_bytes().splitlines(keepends=True)
    for index, line in enumerate(lines):
        before, after = b"".join(lines[:index]), b"".join(lines[index + 1 :])
        if after:  # without its last line, it is as if the driver had been killed
            assert is_noticed(journal, before + after)
        assert is_noticed(journal, before + line + line + after)
        assert is_noticed(journal, before + line.replace(b'"time_s": ', b'"time_s": 1') + after)
        assert is_noticed(journal, before + line.replace(b": ", b":") + after)
    assert not is_noticed(journal, b"".join(lines))


def test_a_metric_with_the_name_of_a_seal_is_no_seal(tmp_path: Path) -> None:
    named = EpochReported(time_s=2.0, trial=0, epoch=1, metrics={"line": 1.0, "crc": 2.0}, seconds=1.0)
    journal = tmp_path / "journal.jsonl"
    assert not is_noticed(journal, encode(STARTED) + encode(named))
    with JournalWriter(journal) as writer:
        writer.write(named)
    assert read_journal(journal) == [STARTED, named, named]


@pytest.mark.parametrize("bit", range(8))
def test_every_changed_bit_is_noticed(tmp_path: Path, bit: int) -> None:
    journal = tmp_path / "journal.jsonl"
    with JournalWriter(journal) as writer:
        for event in (STARTED, epoch(1), epoch(2)):
            writer.write(event)
    whole = journal.read_bytes()
    for position in range(len(whole) - 1):
        changed = bytes([whole[position] ^ (1 << bit)])
        assert is_noticed(journal, whole[:position] + changed + whole[position + 1 :]), position


def test_a_journal_of_an_older_version_is_continued_with_numbers(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(map(encode, WHOLE[:3])))
    for event in WHOLE[3:]:
        with JournalWriter(journal) as writer:
            writer.write(event)
    assert read_journal(journal) == WHOLE
    lines = journal.read_bytes().splitlines(keepends=True)
    assert b'"line": 4, ' in lines[3]
    journal.write_bytes(b"".join([*lines[:4], *lines[5:]]))
    assert "a line is missing before line 5" in fold(read_journal(journal)).damages[0]


def test_a_pause_counts_if_all_its_epochs_are_there() -> None:
    pause = TrialPaused(time_s=3.0, trial=0, reason="rung 3", epochs=3)
    history = fold([STARTED, epoch(1), epoch(2), epoch(3), pause])
    assert (history.trials[0].status, history.trials[0].reason, history.damages) == (Status.PAUSED, "rung 3", [])
    history = fold([STARTED, epoch(1), epoch(2), pause])
    assert history.trials[0].status is Status.RUNNING
    assert "lacks epoch 3 of trial 0, so its pause does not count" in history.damages[0]
    history = fold([STARTED, epoch(1), epoch(2), epoch(3), pause, STARTED, epoch(4)])
    assert (history.trials[0].status, history.trials[0].reason) == (Status.RUNNING, None)
