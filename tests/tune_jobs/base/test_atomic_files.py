"""Files that are written whole or not at all, wherever a name leads."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tune_jobs.base.atomic_files import produce_whole, write_whole
from tune_jobs.errors import RequestError


def test_the_file_that_is_written_has_the_suffix_that_was_named(tmp_path: Path) -> None:
    target = tmp_path / "notes.txt"
    (tmp_path / "out.png").symlink_to(target)
    suffixes: list[str] = []

    def produce(path: Path) -> None:
        suffixes.append(path.suffix)
        path.write_bytes(b"picture")

    produce_whole(tmp_path / "out.png", produce)
    assert suffixes == [".png"]
    assert target.read_bytes() == b"picture"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "out.png"]


def test_a_link_to_a_folder_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "out.png").symlink_to(tmp_path / "folder")
    calls: list[Path] = []
    with pytest.raises(RequestError, match=r"out\.png cannot be written \(Is a directory\)"):
        produce_whole(tmp_path / "out.png", calls.append)
    assert calls == []
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_pipe_that_nobody_reads_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.csv")
    with pytest.raises(RequestError, match="nobody reads this pipe"):
        write_whole(tmp_path / "out.csv", b"1,2\n")
    assert stat.S_ISFIFO((tmp_path / "out.csv").stat().st_mode)


def test_a_pipe_that_is_read_gets_the_content(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "out.csv")
    reader = os.open(tmp_path / "out.csv", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(tmp_path / "out.csv", b"1,2\n")
        assert os.read(reader, 100) == b"1,2\n"
    finally:
        os.close(reader)
