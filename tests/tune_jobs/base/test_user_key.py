"""The secret of a user on a machine: only its owner can make marks, and strangers' files are never used."""

from __future__ import annotations

import os
import platform
import stat
from pathlib import Path

import pytest

from tune_jobs.base import user_key
from tune_jobs.base.user_key import is_marked, mark


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(user_key, "_SHARED", tmp_path / "shared")
    (tmp_path / "shared").mkdir()
    return tmp_path / "state" / "tune-jobs"


def test_a_mark_is_of_one_text_and_one_secret(state: Path) -> None:
    made = mark("one")
    assert made == mark("one")
    assert is_marked("one", made)
    assert not any(
        is_marked(text, given) for text, given in [("two", made), ("one", "0" * 64), ("one", None), ("one", "é")]
    )
    (state / "key").unlink()
    assert not is_marked("one", made)
    assert not (state / "key").exists(), "asking makes no secret"
    assert mark("one") != made


def test_another_machine_or_user_makes_other_marks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = mark("one")
    monkeypatch.setattr(user_key, "_MACHINE_ID", tmp_path / "none")
    monkeypatch.setattr(platform, "node", lambda: "elsewhere")
    assert not is_marked("one", made)


def test_the_secret_is_the_users_alone(state: Path) -> None:
    mark("one")
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "key").stat().st_mode) == 0o600
    assert [path.name for path in state.iterdir()] == ["key"]


@pytest.mark.parametrize("spoil", ["others read it", "others read its folder", "a link", "short", "a pipe", "a folder"])
def test_a_secret_that_may_be_another_persons_is_not_used(state: Path, tmp_path: Path, spoil: str) -> None:
    made = mark("one")
    key = state / "key"
    match spoil:
        case "others read it":
            key.chmod(0o644)
        case "others read its folder":
            state.chmod(0o755)
        case "a link":
            key.rename(tmp_path / "key")
            key.symlink_to(tmp_path / "key")
        case "short":
            key.write_bytes(b"short")
        case "a pipe":
            key.unlink()
            os.mkfifo(key)
        case "a folder":
            key.unlink()
            key.mkdir()
    before = sorted(path.name for path in state.iterdir())
    assert not is_marked("one", made)
    other = mark("one")
    assert other is not None
    assert is_marked("one", other)
    assert sorted(path.name for path in state.iterdir()) == before
    assert (tmp_path / "shared" / f"tune-jobs-{os.getuid()}" / "key").is_file()


@pytest.mark.parametrize("home", ["", "relative", "HERE/missing", "/dev/null/home"])
def test_a_home_that_is_none_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", home.replace("HERE", str(tmp_path)))
    assert is_marked("one", mark("one"))
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(user_key, "_SHARED", tmp_path / "shared")
    assert mark("one") is not None
    assert (tmp_path / "home" / ".local" / "state" / "tune-jobs" / "key").is_file()


def test_without_any_place_for_a_secret_nothing_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    monkeypatch.setattr(user_key, "_SHARED", Path("/dev/null/shared"))
    assert mark("one") is None
    assert not is_marked("one", None)
