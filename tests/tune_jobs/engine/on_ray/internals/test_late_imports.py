"""What Ray imports when it first serializes: the installed Ray imports it from there, and nothing fails without."""

from __future__ import annotations

import importlib
import inspect
import sys

import pytest
from ray._private import arrow_serialization
from ray.util import serialization_addons

from tune_jobs.engine.on_ray.internals import late_imports


def test_ray_still_imports_this_late() -> None:
    compat, starlette, arrow = late_imports.IMPORTED
    assert f"from {compat} import" in inspect.getsource(serialization_addons)
    assert f"import {starlette}" in inspect.getsource(serialization_addons)
    assert f"import {arrow}" in inspect.getsource(arrow_serialization)
    assert all(name in sys.modules for name in late_imports.IMPORTED)


def test_nothing_fails_without_these_names(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def missing(name: str) -> None:
        tried.append(name)
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    exec(compile(inspect.getsource(late_imports), "late_imports", "exec"), {"__name__": "again"})  # noqa: S102
    assert tuple(tried) == late_imports.IMPORTED
