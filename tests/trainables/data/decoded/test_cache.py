"""The cache of decoded files: made once by many, limited, and cleaned of nothing but its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from trainables.data.decoded.cache import MARKER, DecodedCache
from trainables.data.invalid import InvalidData

USE_ANOTHER = """
import sys, time
from pathlib import Path
from trainables.data.decoded.cache import DecodedCache
DecodedCache(Path(sys.argv[1])).entry({"of": sys.argv[2]}, [1], lambda folder: (folder / "x").write_bytes(b"x" * 100))
print("made", flush=True)
if sys.argv[3] == "hold":
    time.sleep(60)
"""


TOGETHER = """
import sys, threading, time
from pathlib import Path
from trainables.data.decoded.cache import DecodedCache

cache, log = Path(sys.argv[1]), Path(sys.argv[2])


def slowly(folder):
    begin = time.monotonic()
    (folder / "x").write_bytes(b"x" * 100)
    time.sleep(0.3)
    is_first = not log.exists()
    with log.open("a") as file:
        file.write(f"{begin} {time.monotonic()}\\n")
    if is_first:
        raise RuntimeError("the disk was full for a moment")


def use():
    try:
        entry = DecodedCache(cache).entry({"of": "a"}, [1], slowly)
    except RuntimeError:
        return
    assert (entry / "x").read_bytes() == b"x" * 100
    ready.append(entry)


ready = []
threads = [threading.Thread(target=use) for _ in range(3)]
print("here", flush=True)
sys.stdin.readline()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(ready), len(set(ready)), flush=True)
"""


def make(size: int = 100, calls: list[Path] | None = None) -> object:
    def write(folder: Path) -> None:
        if calls is not None:
            calls.append(folder)
        (folder / "x").write_bytes(b"x" * size)

    return write


def elsewhere(cache: Path, name: str, then: str = "leave") -> subprocess.Popen[str]:
    """Make an entry in another process, which ends, or holds it until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", USE_ANOTHER, str(cache), name, then], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    if then == "leave":
        process.wait()
    return process


def test_an_entry_is_made_once_and_again_when_its_files_changed(tmp_path: Path) -> None:
    cache, calls = DecodedCache(tmp_path), []
    first = cache.entry({"of": "a"}, ["1"], make(calls=calls))  # type: ignore[arg-type]
    assert cache.entry({"of": "a"}, ["1"], make(calls=calls)) == first  # type: ignore[arg-type]
    assert cache.entry({"of": "a"}, ["2"], make(calls=calls)) != first  # type: ignore[arg-type]
    assert len(calls) == 2


def test_threads_that_want_one_entry_make_it_once(tmp_path: Path) -> None:
    calls: list[Path] = []

    def slowly(folder: Path) -> None:
        calls.append(folder)
        time.sleep(0.2)
        (folder / "x").write_bytes(b"x")

    threads = [threading.Thread(target=DecodedCache(tmp_path).entry, args=({}, [], slowly)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert [path.name.startswith(".") for path in tmp_path.iterdir()] == [False]


def test_threads_of_processes_make_it_one_after_another_until_one_succeeds(tmp_path: Path) -> None:
    cache, log = tmp_path / "cache", tmp_path / "log"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TOGETHER, str(cache), str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    counts = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(count for count, _ in counts) == ["2", "3", "3"], "one of nine had the failure"
    times = sorted(tuple(map(float, line.split())) for line in log.read_text().splitlines())
    assert len(times) == 2, "one failed, one succeeded"
    assert times[0][1] <= times[1][0], "two at the same time"
    assert [path.name.startswith(".") for path in cache.iterdir()] == [False]


def test_a_process_that_was_forked_while_it_was_made_holds_nobody_up(tmp_path: Path) -> None:
    script = """
import os, sys, time
from pathlib import Path
from trainables.data.decoded.cache import DecodedCache

def forks(folder):
    if os.fork() == 0:
        time.sleep(10_000)  # whoever waits for it waits until the test times out
        os._exit(0)
    (folder / "x").write_bytes(b"x" * 100)

DecodedCache(Path(sys.argv[1])).entry({"of": "a"}, [1], forks)
print("made", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        elsewhere(tmp_path, "a")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_an_entry_that_was_removed_and_made_again_is_held_again(tmp_path: Path) -> None:
    cache = DecodedCache(tmp_path)
    entry = cache.entry({"of": "a"}, [1], make())  # type: ignore[arg-type]
    shutil.rmtree(entry)
    elsewhere(tmp_path, "a")
    assert cache.entry({"of": "a"}, [1], make()) == entry  # type: ignore[arg-type]
    DecodedCache(tmp_path, most_bytes=1).entry({"of": "b"}, [1], make())  # type: ignore[arg-type]
    assert entry.exists(), "this process uses it"


def test_what_is_out_of_date_is_removed_unless_a_process_uses_it(tmp_path: Path) -> None:
    cache = DecodedCache(tmp_path)
    elsewhere(tmp_path, "a")
    new = cache.entry({"of": "a"}, [2], make())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == [new]
    held = elsewhere(tmp_path, "b", "hold")
    try:
        cache.entry({"of": "b"}, [2], make())  # type: ignore[arg-type]
        assert len(list(tmp_path.iterdir())) == 3
    finally:
        held.kill()
        held.wait()
    cache.entry({"of": "b"}, [3], make())  # type: ignore[arg-type]
    # This process uses the second of "b" still, and the first is nobody's any more.
    assert len(list(tmp_path.iterdir())) == 3


def test_the_least_recently_used_are_removed_when_it_is_too_much(tmp_path: Path) -> None:
    for age, name in ((300, "old"), (900, "oldest"), (100, "new")):
        before = set(tmp_path.iterdir())
        elsewhere(tmp_path, name)
        (entry,) = set(tmp_path.iterdir()) - before
        os.utime(entry / MARKER, (time.time() - age,) * 2)
        (entry / name).touch()
    room = sum(path.stat().st_size for path in tmp_path.glob("*/*"))
    DecodedCache(tmp_path, most_bytes=room).entry({"of": "last"}, [], make(100))  # type: ignore[arg-type]
    left = {name for name in ("old", "oldest", "new") for entry in tmp_path.iterdir() if (entry / name).exists()}
    assert left == {"old", "new"}


def test_nothing_without_a_marker_is_touched(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "x.jpg").write_bytes(b"x" * 1000)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path / "photos")
    (tmp_path / "notes.txt").write_text("notes")
    DecodedCache(tmp_path, most_bytes=10).entry({}, [], make(5))  # type: ignore[arg-type]
    assert {"photos", ".hidden", "elsewhere", "notes.txt"} <= {path.name for path in tmp_path.iterdir()}


def test_what_a_killed_process_left_half_made_is_removed(tmp_path: Path) -> None:
    half = tmp_path / ".abc.def"
    half.mkdir()
    (half / MARKER).write_text('{"of": "x"}')
    DecodedCache(tmp_path).entry({}, [], make())  # type: ignore[arg-type]
    assert not half.exists()


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "x").write_bytes(b"x")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        DecodedCache(tmp_path).entry({}, [], fail)
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_cache_or_the_disk_has_room_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="cache_bytes"):
        DecodedCache(tmp_path, most_bytes=10).entry({}, [], make(), expected_bytes=11)  # type: ignore[arg-type]
    with pytest.raises(InvalidData, match="has only"):
        DecodedCache(tmp_path, 10**19).entry({}, [], make(), expected_bytes=10**18)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
