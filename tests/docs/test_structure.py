"""The page about the structure names what exists, and no room is missing from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "structure.md").read_text(encoding="utf-8")
PICTURE = (TOP / "docs" / "rooms.svg").read_text(encoding="utf-8")
PACKAGES = ("search_spaces", "trainables", "tune_jobs")
FILES = [path.relative_to(TOP) for package in PACKAGES for path in (TOP / package).rglob("*.py")]
ROOMS = sorted({path.parent for path in FILES})


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+(?:\.py|/))`", PAGE))))
def test_a_file_or_folder_that_the_page_names_exists(name: str) -> None:
    known = [str(path) for path in FILES] if name.endswith(".py") else [f"{room}/" for room in ROOMS]
    if name.startswith("tests/"):
        known = [name] if (TOP / name).exists() else []
    assert any(f"/{path}".endswith(f"/{name}") for path in known)


@pytest.mark.parametrize("room", [room for room in ROOMS if "examples" not in room.parts], ids=str)
def test_every_room_is_named(room: Path) -> None:
    assert re.search(rf"\b{room.name}\b", PAGE + PICTURE)


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_no_room_is_crowded(room: Path) -> None:
    modules = [path for path in FILES if path.parent == room and path.name != "__init__.py"]
    assert len(modules) <= 15, f"{room} holds {len(modules)} modules: group them by subject"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_no_file_is_long(path: Path) -> None:
    lines = len((TOP / path).read_text(encoding="utf-8").splitlines())
    assert lines <= 300, f"{path} has {lines} lines: give each subject a file of its own"
