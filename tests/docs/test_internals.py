"""The page about private names has a row for every module in a room called internals, and each module has its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs" / "internals.md").read_text(encoding="utf-8")
MODULES = [
    path.relative_to(TOP)
    for package in ("search_spaces", "trainables", "tune_jobs")
    for path in sorted((TOP / package).rglob("internals/*.py"))
    if path.name != "__init__.py"
]


def test_there_are_such_modules() -> None:
    assert len(MODULES) >= 10


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_a_row_and_tests(module: Path) -> None:
    tests = TOP / "tests" / module.parent / f"test_{module.name}"
    assert f"`{module.parent}`" in PAGE
    assert f"| `{module.stem}` |" in PAGE
    assert "def test_" in tests.read_text(encoding="utf-8")
