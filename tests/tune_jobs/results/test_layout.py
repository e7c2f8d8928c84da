"""The names of a run's files stand in one module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import search_spaces
import trainables
import tune_jobs
from tune_jobs.results import layout

NAMES = {name: value for name, value in vars(layout).items() if name.isupper() and not name.endswith("_PATTERN")}
# Other things have such names, too: columns, fields of an experiment, the lock of a Ray.
AMBIGUOUS = {"trials", "evaluations", "logs", "lock"}
SOURCES = [
    path
    for package in (search_spaces, trainables, tune_jobs)
    for path in Path(package.__path__[0]).rglob("*.py")
    if path != Path(layout.__file__)
]


def spelled_names(source: str) -> Iterator[tuple[str, int]]:
    """Yield the names of a run's files that string literals of a source spell, with their lines; docstrings may."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts_of_paths = {id(node.right) for node in ast.walk(tree) if _is_division(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
            continue
        text = node.value.replace("\\.", ".")  # in a regular expression
        for name in NAMES.values():
            is_spelled = name in text if name not in AMBIGUOUS else f"{name}/" in text
            if is_spelled or (text == name and id(node) in parts_of_paths):
                yield name, node.lineno


def _is_division(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)


def test_nothing_else_spells_them() -> None:
    assert len(SOURCES) > 200
    spelled = {f"{path.name}:{line}": name for path in SOURCES for name, line in spelled_names(path.read_text("utf-8"))}
    assert spelled == {}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ('path = folder / "journal.jsonl"', "journal.jsonl"),
        ('path = folder / "trials" / "0007"', "trials"),
        ('path = folder / "lock"', "lock"),
        (r'pattern = r"experiment\.json"', "experiment.json"),
        ('pattern = f"trials/{number}"', "trials"),
        ('message = "The file experiment.json is damaged."', "experiment.json"),
        ('columns = ["trials"]', None),
        ('"""Read journal.jsonl."""', None),
    ],
)
def test_the_check_finds_a_name(source: str, name: str | None) -> None:
    assert [spelled for spelled, _ in spelled_names(source)] == ([name] if name else [])


def test_the_names_are_those_of_runs_that_exist_already() -> None:
    assert NAMES == {
        "EXPERIMENT_FILE": "experiment.json",
        "JOURNAL_FILE": "journal.jsonl",
        "WARM_START_FILE": "warm_start.jsonl",
        "TRIALS_FOLDER": "trials",
        "ERROR_FILE": "error.txt",
        "EVALUATIONS_FOLDER": "evaluations",
        "LOGS_FOLDER": "logs",
        "RAY_LOG": "logs/ray.log",
        "EVALUATION_LOG": "logs/evaluation.log",
        "LOCK_FILE": "lock",
        "LEASE_TOKEN_FILE": ".lease",
        "LEASE_FILE": "lease.json",
    }
