"""A journal whose driver is killed, whose disk is full, or whose content is hostile."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import tempfile
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.examples import with_examples
from tests.support.result_strategies import EVENTS
from trainables.storage.retry import DELAYS_S
from tune_jobs.results import Event, JournalError, JournalWriter, Noted, RunEnded, read_journal
from tune_jobs.results.journal.lines import encode
from tune_jobs.results.journal.reading import MAX_LINE_BYTES


def note(text: str) -> Noted:
    return Noted(time_s=1.0, trial=None, text=text)


def texts(path: Path) -> list[str]:
    return [event.text for event in read_journal(path) if isinstance(event, Noted)]


class Disk:
    """A disk that is full for a while.

    Attributes:
        refusals: The number of lines that it refuses next.
        wrote: The part of a refused line that it has written before it refuses.
    """

    def __init__(self) -> None:
        self.refusals = 0
        self.wrote = 0.5

    def open(self, path: Path) -> FileIO:
        return FileOnDisk(self, path)


class FileOnDisk(FileIO):
    """A file on such a disk. It takes a line in several pieces, as a file may."""

    def __init__(self, disk: Disk, path: Path) -> None:
        super().__init__(path, "ab+")
        self.disk = disk

    def write(self, data: Any) -> int:
        if self.disk.refusals:
            self.disk.refusals -= 1
            super().write(bytes(data)[: int(self.disk.wrote * len(data))])
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(bytes(data)[: max(1, len(data) // 2)])


class KilledDrivers(RuleBasedStateMachine):
    """Drivers that write, are killed in the middle of a line or lose more, and are followed by others."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name, "journal.jsonl")
        self.disk = Disk()
        self.events: list[tuple[int, str]] = []  # where each event's line ends, and the event
        self.writer = self.new_writer()

    def new_writer(self) -> JournalWriter:
        return JournalWriter(self.path, sleep=lambda _: None, open_file=self.disk.open)

    @rule(event=EVENTS)
    def write(self, event: Event) -> None:
        self.writer.write(event)
        self.events.append((self.path.stat().st_size, repr(event)))

    @rule(event=EVENTS, wrote=st.floats(0, 1, exclude_max=True))
    def disk_full(self, event: Event, wrote: float) -> None:
        """A part of the line reaches the disk; a later attempt writes it, once."""
        self.disk.refusals, self.disk.wrote = 1, wrote
        self.write(event)

    @rule(left=st.floats(0, 1))
    def crash(self, left: float) -> None:
        size = int(left * self.path.stat().st_size)
        with self.path.open("r+b") as file:
            file.truncate(size)
        self.events = [(end, event) for end, event in self.events if end <= size]
        self.writer.close()
        assert [repr(event) for event in read_journal(self.path)] == [event for _, event in self.events]
        self.writer = self.new_writer()
        assert self.writer.torn_bytes == size - (self.events[-1][0] if self.events else 0)

    @invariant()
    def reads_back(self) -> None:
        if hasattr(self, "events"):
            assert [repr(event) for event in read_journal(self.path)] == [event for _, event in self.events]

    def teardown(self) -> None:
        if hasattr(self, "writer"):
            self.writer.close()
            self.folder.cleanup()


TestKilledDrivers = KilledDrivers.TestCase
TestKilledDrivers.settings = with_examples(40, stateful_step_count=15)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.mark.parametrize("refusals", [1, len(DELAYS_S)])
def test_a_disk_that_has_room_again_within_a_minute_gets_the_line_once(
    tmp_path: Path, disk: Disk, refusals: int
) -> None:
    path, delays_s = tmp_path / "journal.jsonl", list[float]()
    with JournalWriter(path, delays_s.append, disk.open) as writer:
        writer.write(note("before"))
        disk.refusals = refusals
        writer.write(note("late"))
    assert delays_s == list(DELAYS_S[:refusals])
    assert texts(path) == ["before", "late"]


def test_a_disk_that_stays_full_is_given_one_minute_until_it_takes_a_line(tmp_path: Path, disk: Disk) -> None:
    delays_s = list[float]()
    with JournalWriter(tmp_path / "journal.jsonl", delays_s.append, disk.open) as writer:
        disk.refusals = len(DELAYS_S) + 2
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                writer.write(note("lost"))
        assert delays_s == list(DELAYS_S)
        writer.write(note("there is room again"))
        disk.refusals = 1
        writer.write(note("late"))
    assert delays_s == [*DELAYS_S, DELAYS_S[0]]


def test_a_disk_that_stays_full_is_an_error_and_tears_nothing_that_is_written_later(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalWriter(path, lambda _: None, disk.open) as writer:
        writer.write(note("before"))
        disk.refusals = len(DELAYS_S) + 1
        with pytest.raises(OSError, match="No space left"):
            writer.write(note("lost"))
        assert texts(path) == ["before"]
        writer.write(RunEnded(time_s=1.0, reason="failed", error="No space left on device"))
    assert [event.EVENT for event in read_journal(path)] == ["note", "run_ended"]


def test_the_last_lines_of_a_machine_that_went_down_are_zeros(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(encode(note("before")) + b"\0" * 5000)
    assert len(read_journal(path)) == 1
    with JournalWriter(path) as writer:
        assert writer.torn_bytes == 5000


def test_of_two_fields_of_one_name_the_last_counts_as_everywhere_in_json(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text('{"event": "run_ended", "event": "note", "time_s": 1, "trial": 3, "trial": null, "text": "why"}\n')
    assert read_journal(path) == [note("why")]


def test_a_longest_line_can_be_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    longest = note("x" * (MAX_LINE_BYTES - len(encode(note("")))))
    with JournalWriter(path) as writer:
        writer.write(longest)
        with pytest.raises(JournalError, match="longer than"):
            writer.write(note(longest.text + "x"))
    assert read_journal(path) == [longest]


READ = """
import resource, sys, time
from pathlib import Path
from tune_jobs.results import JournalError, JournalWriter, read_journal
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.process_time()
try:
    read_journal(Path(sys.argv[1]))
except JournalError as error:
    print("refused" if ", line 2 is no event: it is longer than" in str(error) else error)
JournalWriter(Path(sys.argv[1])).close()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, time.process_time() - begun)
"""


@pytest.mark.parametrize("ending", [b"\n", b""], ids=["whole", "torn"])
def test_a_line_of_100_megabytes_takes_neither_memory_nor_time(tmp_path: Path, ending: bytes) -> None:
    """In a process of its own, whose memory nothing else has stretched. The file is sparse."""
    path = tmp_path / "journal.jsonl"
    with path.open("wb") as file:
        file.write(encode(note("before")) + b'{"event": "')
        file.truncate(100 * 2**20)
        file.seek(0, 2)
        file.write(ending)
    printed = subprocess.check_output([sys.executable, "-c", READ, str(path)], text=True).split()
    assert printed[0] == "refused"
    assert int(printed[1]) < 20, "MB"
    assert float(printed[2]) < 2, "seconds of CPU"


def test_a_line_of_nothing_but_brackets_is_bounded_by_its_length(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({"event": "note", "x": [[]] * 200_000}) + "\n")
    with pytest.raises(JournalError, match="line 1"):
        read_journal(path)
