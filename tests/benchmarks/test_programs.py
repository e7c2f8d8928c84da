"""Every benchmark explains its options, and every program that it runs can be imported."""

from __future__ import annotations

import ast
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks import equal_work, time_to_accuracy

TOP = Path(__file__).parents[2]
FILES = sorted((TOP / "benchmarks").rglob("*.py"))
PROGRAMS = [path.stem for path in FILES if path.parent.name == "benchmarks" and "\ndef main(" in path.read_text()]
NOT_INSTALLED = {"keras_tuner", "onnxruntime", "optuna"}
"""Peers, and the runtime of a surrogate, which only ``make bench`` installs."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_explains_its_options(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as exit_:
        import_module(f"benchmarks.{name}").main()
    assert exit_.value.code == 0
    assert "--help" in capsys.readouterr().out


def test_make_bench_runs_benchmarks_that_exist() -> None:
    [names] = re.findall(r"^BENCH \?= (.*)$", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert set(names.split()) <= set(PROGRAMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_whatever_a_benchmark_imports_is_there(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module)
    assert [name for name in imported - NOT_INSTALLED if find_spec(name) is None] == []


@pytest.mark.parametrize("program", [*equal_work.PROGRAMS.values(), *time_to_accuracy.PROGRAMS.values()], ids=str)
def test_a_program_of_a_peer_is_there(program: list[str]) -> None:
    assert (TOP / "benchmarks" / "peers" / program[0]).is_file()
