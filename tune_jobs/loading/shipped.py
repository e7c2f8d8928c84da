"""The experiments that are shipped, told without importing them."""

from __future__ import annotations

import ast
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "examples"


def shipped() -> list[tuple[str, str]]:
    """The name of each shipped experiment and the first line of its docstring, by name."""
    paths = sorted(path for path in _FOLDER.glob("*.py") if not path.stem.startswith("_"))
    return [(path.stem, _summary(path)) for path in paths]


def _summary(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
