"""Every docstring says what a thing is or does, by its first word; the public names explain their parameters."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[1]
PACKAGES = ("search_spaces", "trainables", "tune_jobs")
MODULES = sorted(path for package in PACKAGES for path in (TOP / package).rglob("*.py"))
RIDDLES = ("What", "Whether", "Why", "How", "Which", "Who", "When", "Where")
"""First words of a sentence that names a thing by a question. The question of an experiment ends in a question mark."""

NOT_FOR_CALLERS = {"conditions", "counts", "args", "options"}
"""Parameters that nobody passes: ``when`` and ``per`` set the first two, plain Ray Tune passes the others."""

PROPERTIES = (property, functools.cached_property)
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def ids(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each docstring of a module with its line; also the text under a constant or a field."""
    for node in ast.walk(ast.parse(path.read_text())):
        for statement in getattr(node, "body", []) if isinstance(node, Documented) else []:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.lineno, inspect.cleandoc(value.value)


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_no_docstring_is_a_riddle(path: Path) -> None:
    riddles = [
        f"{ids(path)}:{line}: {text.splitlines()[0]}"
        for line, text in docstrings(path)
        if text.split(maxsplit=1)[0].rstrip(",:") in RIDDLES and not text.splitlines()[0].endswith("?")
    ]
    assert riddles == []


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_a_module_begins_with_its_docstring_and_postpones_annotations(path: Path) -> None:
    first, *others = ast.parse(path.read_text()).body
    assert isinstance(first, ast.Expr)
    assert isinstance(first.value, ast.Constant)
    if others:  # a module that has nothing but a docstring has no annotation
        assert isinstance(others[0], ast.ImportFrom), "the first statement is not the future import"
        assert others[0].module == "__future__"


def section(docstring: str, *titles: str) -> str:
    """Return the text of a docstring's sections of these titles."""
    found = re.findall(rf"^(?:{'|'.join(titles)}):\n((?:(?: +.*)?\n?)*)", docstring + "\n", re.MULTILINE)
    return "\n".join(found)


def parameters(value: Any) -> list[str]:
    """Return the names that a caller can pass to a function, or to make an object."""
    if dataclasses.is_dataclass(value) and value.__dataclass_params__.init:
        return [field.name for field in dataclasses.fields(value) if field.init and field.name not in NOT_FOR_CALLERS]
    if inspect.isclass(value) and "__init__" not in vars(value):
        return []
    names = [name for name in inspect.signature(value).parameters if not name.startswith("_")]
    return [name for name in names if name not in NOT_FOR_CALLERS]


PUBLIC = [(package, name) for package in PACKAGES for name in import_module(package).__all__]


@pytest.mark.parametrize(("package", "name"), PUBLIC, ids=lambda part: part)
def test_a_public_name_explains_what_it_takes_and_returns(package: str, name: str) -> None:
    value = getattr(import_module(package), name)
    docstring = inspect.cleandoc(value.__doc__ or "")
    explained = section(docstring, "Args", "Attributes")
    names = set(re.findall(r"^ +\*{0,2}(\w+):", explained, re.MULTILINE))
    unexplained = [parameter for parameter in parameters(value) if parameter not in names]
    assert unexplained == [], f"{package}.{name} does not explain {unexplained}"
    if inspect.isfunction(value) and inspect.signature(value).return_annotation not in (None, "None"):
        assert docstring.startswith("Return ") or section(docstring, "Returns"), f"{name} has no section Returns"


@pytest.mark.parametrize(("package", "name"), PUBLIC, ids=lambda part: part)
def test_the_first_line_of_a_property_has_no_colon(package: str, name: str) -> None:
    """Sphinx's napoleon takes what stands before a colon there for the property's type."""
    value = getattr(import_module(package), name)
    for attribute, found in vars(value).items():
        if attribute.startswith("_") or not isinstance(found, PROPERTIES):
            continue
        first = (found.__doc__ or "").splitlines()[0]
        assert ":" not in re.sub(r"``.*?``", "", first), f"{name}.{attribute}: {first}"
