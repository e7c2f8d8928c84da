"""Private modules of other packages are named in rooms called internals only, also where a string names them.

Ruff sees imports (TID251) and attributes (SLF001); a string that is given to ``import_module`` it does not see.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PRIVATE = (
    "hyperopt.pyll",
    "keras.src",
    "ray._",
    "ray.air.execution._internal",
    "ray.autoscaler",
    "ray.scripts",
    "tensorflow.python",
)
MODULES = [
    path
    for package in ("search_spaces", "trainables", "tune_jobs")
    for path in sorted((TOP / package).rglob("*.py"))
    if "internals" not in path.parts
]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(TOP).as_posix())
def test_no_string_names_a_private_module(path: Path) -> None:
    strings = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    assert [string for string in strings if isinstance(string, str) and string.startswith(PRIVATE)] == []


def test_every_room_called_internals_has_its_tests() -> None:
    rooms = {path.parent.relative_to(TOP) for path in TOP.glob("t*/**/internals/__init__.py")}
    packages = {room for room in rooms if room.parts[0] != "tests"}
    assert packages
    assert {room for room in packages if not any((TOP / "tests" / room).glob("test_*.py"))} == set()
