"""Something else than a file in place of one is refused in words, and nobody waits for it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tune_jobs.base.atomic_files import write_whole
from tune_jobs.base.named_files import exists, is_file, is_folder, name_problem, plain_file, read_file
from tune_jobs.errors import RequestError


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)
        server.bind(path.name)


MAKERS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a socket": _bind,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("mode", ["rb", "ab", "a", "w"])
@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_no_file_is_not_opened(kind: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "journal"
    MAKERS[kind](path)
    with pytest.raises(OSError, match=f"it is {kind}, but must be a file"):
        open(path, mode, opener=plain_file)  # noqa: SIM115 - an opener is the subject
    assert not is_file(path)
    assert exists(path)
    assert is_folder(path) == (kind == "a folder")


def test_no_more_is_read_than_a_file_may_have(tmp_path: Path) -> None:
    path = tmp_path / "hole"
    path.write_bytes(b"text")
    assert read_file(path, 4) == b"text"
    os.truncate(path, 10 * 2**40)
    with pytest.raises(OSError, match="it is larger than 2,000 bytes"):
        read_file(path, 2000)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "none", 4)


def test_a_plain_file_is_opened_and_made(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with open(path, "w", opener=plain_file) as file:
        file.write("text")
    with open(path, opener=plain_file) as file:
        assert file.read() == "text"
    assert is_file(path)


@pytest.mark.parametrize("name", ["n" * 300, "a/" * 3000, "a\0b", "\ud800"])
def test_a_name_that_nothing_can_have_is_the_name_of_nothing(name: str) -> None:
    path = Path(name)
    assert not is_file(path)
    assert not is_folder(path)
    assert not exists(path)
    assert name_problem(path)


def test_a_missing_file_could_exist(tmp_path: Path) -> None:
    assert name_problem(tmp_path / "none") is None
    assert name_problem(tmp_path) is None


def test_an_output_that_is_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    output.symlink_to("out.csv")
    with pytest.raises(RequestError, match=r"out\.csv cannot be written \(its link leads to itself\)"):
        write_whole(output, b"")
