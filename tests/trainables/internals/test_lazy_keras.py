"""The parts of Keras that few need are found, and postponed; without them the import is a plain one.

That nothing of scikit-learn is imported is a matter for a fresh process: `tests/trainables/devices/test_prepare.py`.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import LazyLoader

import keras
import pytest

from trainables.internals import lazy_keras
from trainables.internals.lazy_keras import import_keras


@pytest.mark.parametrize("name", ["keras.src.visualization", "keras.src.wrappers"])
def test_the_parts_that_few_need_are_postponed(name: str) -> None:
    """The pinned names."""
    package = sys.modules[name.rpartition(".")[0]].__path__
    spec = lazy_keras._LazyFinder.find_spec(name, package)
    assert spec is not None
    assert isinstance(spec.loader, LazyLoader)


def test_all_else_is_left_to_pythons_own_finders() -> None:
    assert PathFinder.find_spec("keras.src.layers", keras.src.__path__) is not None
    assert lazy_keras._LazyFinder.find_spec("keras.src.layers", keras.src.__path__) is None


def test_without_those_parts_keras_is_imported_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_keras, "_SELDOM_USED", frozenset({"keras.src.gone"}))
    assert lazy_keras._LazyFinder.find_spec("keras.src.gone", keras.src.__path__) is None
    before = list(sys.meta_path)
    assert import_keras() is keras
    assert sys.meta_path == before
