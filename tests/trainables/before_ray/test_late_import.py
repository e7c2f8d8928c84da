"""A function is called when a module is imported, by whoever imports it."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

import pytest

from trainables.before_ray.late_import import call_when_imported


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that was not imported."""
    (tmp_path / "late_module.py").write_text("def value():\n    return 5\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", sys.meta_path)
    monkeypatch.delitem(sys.modules, "late_module", raising=False)
    return "late_module"


def test_all_functions_are_called_once_when_the_module_is_whole(late: str) -> None:
    told: list[int] = []
    call_when_imported(late, lambda module: told.append(module.value()))
    call_when_imported(late, lambda module: told.append(-module.value()))
    assert told == []
    module = importlib.import_module(late)
    assert sorted(told) == [-5, 5]
    importlib.import_module(late)
    assert len(told) == 2
    call_when_imported(late, lambda module: told.append(6))
    assert told[2:] == [6]
    assert inspect.getsource(module.value).endswith("return 5\n")
    assert type(module.__spec__.loader).__name__ == type(module.__loader__).__name__ == "SourceFileLoader"


def test_nothing_is_left_of_it(late: str) -> None:
    before = list(sys.meta_path)
    call_when_imported(late, lambda module: None)
    importlib.import_module(late)
    assert sys.meta_path == before


def test_a_module_that_cannot_be_imported_is_awaited_again(late: str, tmp_path: Path) -> None:
    (tmp_path / "late_module.py").write_text("raise ImportError('not yet')\n")
    told: list[str] = []
    call_when_imported(late, lambda module: told.append(module.__name__))
    with pytest.raises(ImportError, match="not yet"):
        importlib.import_module(late)
    assert told == []
    (tmp_path / "late_module.py").write_text("answer_to_all = 42\n")
    importlib.invalidate_caches()
    importlib.import_module(late)
    assert told == [late]


def test_a_module_that_does_not_exist_stays_unknown(late: str) -> None:
    call_when_imported("late_module_missing", lambda module: None)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("late_module_missing")
