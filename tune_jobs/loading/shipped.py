"""The experiments that are shipped, listed without importing them.

``tune-jobs list`` imports this module and nothing else of the package, so it answers at once.
"""

from __future__ import annotations

import ast
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "examples"


def list_shipped() -> dict[str, str]:
    """Return the first line of the docstring of each shipped experiment, by the experiment's name, sorted."""
    return {name: _summary(_FOLDER / f"{name}.py") for name in shipped_names()}


def shipped_names() -> list[str]:
    """Return the names of the shipped experiments, sorted, without reading their files."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if not path.stem.startswith("_"))


def _summary(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
