"""Tests of the end of a process: the memory is left to the system, and nothing that somebody has written is lost."""

from __future__ import annotations

import bz2
import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CYCLE = """
import atexit, bz2, gc, gzip, sys, tempfile, weakref, zipfile
from contextlib import contextmanager
from trainables.exits import leave_memory
gc.disable()
class Cycle: pass
@contextmanager
def noting():
    try: yield
    finally: print("taken apart")
class Notes:
    def __del__(self): print("taken apart")
class Lazy:
    @property
    def __class__(self): raise SystemExit("asked")
cycle = Cycle()
cycle.cycle, cycle.lazy = cycle, Lazy()
cycle.ref = weakref.ref(Cycle)
path = sys.argv[1]
{}
del cycle
atexit.register(leave_memory)
"""


def end_with(statement: str, path: Path) -> str:
    code = CYCLE.format(statement)
    ended = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "asked" not in ended.stderr
    return ended.stdout


def test_a_process_with_plain_files_leaves_its_memory_and_writes_them(tmp_path: Path) -> None:
    keep = "cycle.file = open(path, 'w'); cycle.file.write('lines'); other = open(path); other.close(); "
    watch = "watched = Cycle(); watched.me = watched; ref = weakref.ref(watched, lambda _: print('apart')); del watched"
    assert end_with(keep + watch, tmp_path / "text") == ""
    assert (tmp_path / "text").read_text() == "lines"


@pytest.mark.parametrize(
    ("opens", "read"),
    [
        ("gzip.open(path, 'wb')", gzip.decompress),
        ("bz2.open(path, 'wb')", bz2.decompress),
        ("gzip.open(path, 'wb', 0)", gzip.decompress),
    ],
)
def test_a_compressed_file_that_nobody_has_closed_is_whole(opens: str, read, tmp_path: Path) -> None:
    end_with(f"cycle.file = {opens}; cycle.file.write(b'bytes')", tmp_path / "file")
    assert read((tmp_path / "file").read_bytes()) == b"bytes"


def test_an_archive_that_nobody_has_closed_is_whole(tmp_path: Path) -> None:
    end_with("cycle.file = zipfile.ZipFile(path, 'w'); cycle.file.writestr('name', 'text')", tmp_path / "file")
    assert zipfile.ZipFile(io.BytesIO((tmp_path / "file").read_bytes())).read("name") == b"text"


def test_a_temporary_file_goes_away(tmp_path: Path) -> None:
    end_with("cycle.file = tempfile.NamedTemporaryFile(dir=path)", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", ["Notes()", "noting(); cycle.kept.__enter__()"])
def test_what_an_object_does_at_its_end_is_done(kept: str, tmp_path: Path) -> None:
    assert end_with(f"cycle.kept = {kept}", tmp_path) == "taken apart\n"
