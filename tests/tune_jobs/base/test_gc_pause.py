"""Tests of the garbage collector's pauses, and of an end that leaves the memory to the system."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from tune_jobs.base.gc_pause import gc_paused, gc_seldom

LEAVES_A_FILE_OPEN = """
import gc
import sys
import weakref
from tune_jobs.base.gc_pause import end_quickly
gc.disable()
class Cycle: pass
one, other = Cycle(), Cycle()
one.other, other.other = other, one
one.text, one.bytes, one.closed = open(sys.argv[1], "w"), open(sys.argv[2], "wb"), open(sys.argv[2], "rb")
one.text.write("lines of a callback")
one.bytes.write(b"bytes")
one.closed.close()
watched = weakref.ref(one, lambda _: print("taken apart"))
del one, other
end_quickly()
end_quickly()
"""


@pytest.mark.parametrize("pause", [gc_paused, gc_seldom])
def test_the_collector_is_as_before_after_a_block_that_fails(pause) -> None:
    before = gc.isenabled(), gc.get_threshold()

    def fail_in_a_pause() -> None:
        with pause():
            assert (gc.isenabled(), gc.get_threshold()) != before
            raise KeyError

    with pytest.raises(KeyError):
        fail_in_a_pause()
    assert (gc.isenabled(), gc.get_threshold()) == before


def test_a_collector_that_someone_has_disabled_stays_disabled() -> None:
    gc.disable()
    try:
        with gc_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_process_that_leaves_its_memory_writes_its_files(tmp_path: Path) -> None:
    arguments = [str(tmp_path / "text"), str(tmp_path / "bytes")]
    ended = subprocess.run(
        [sys.executable, "-c", LEAVES_A_FILE_OPEN, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout == ""
    assert ended.stderr == ""
    assert (tmp_path / "text").read_text() == "lines of a callback"
    assert (tmp_path / "bytes").read_bytes() == b"bytes"
