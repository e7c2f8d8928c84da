"""A trainable is one of Ray Tune's as soon as Ray Tune is imported, and not before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from ray import tune

from trainables import KerasTrainable
from trainables.before_ray import tune_base
from trainables.before_ray.tune_base import TuneBase, classes_of_a_run

PROGRAM = """
import sys
from trainables import KerasTrainable

class Mine(KerasTrainable):
    config = "mine"

one = Mine.standalone()
one.iteration = 7
assert not {"ray", "ray.tune"} & sys.modules.keys(), "Ray is imported"
assert not hasattr(one, "train_buffered")
from ray import tune

assert issubclass(Mine, tune.Trainable) and isinstance(one, tune.Trainable)
assert (one.iteration, one.config, Mine.train_buffered) == (7, "mine", tune.Trainable.train_buffered)
two = Mine()
two.training_iteration = 3  # a property of Ray's without a setter
assert two.training_iteration == 3
"""


def test_a_class_becomes_a_trainable_of_ray_with_the_import_of_ray_tune() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_where_ray_tune_is_imported_first_a_class_is_one_of_its_trainables_at_once() -> None:
    assert issubclass(KerasTrainable, tune.Trainable)


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(tune_base, "import_module", names.append)
    return names


@contextmanager
def nothing() -> Iterator[None]:
    yield


@pytest.mark.parametrize(
    ("ray", "block", "expected"),
    [
        (None, nothing, []),
        (SimpleNamespace(), nothing, []),  # it is being imported
        (SimpleNamespace(is_initialized=lambda: False), nothing, []),
        (SimpleNamespace(is_initialized=lambda: True), nothing, ["ray.tune"]),
        (SimpleNamespace(is_initialized=lambda: True), classes_of_a_run, []),
    ],
    ids=["no Ray", "half a Ray", "a driver", "a worker of Ray Tune", "a worker of a run"],
)
def test_a_worker_of_ray_tune_knows_all_methods_when_it_has_loaded_the_class(
    ray: Any, block: Any, expected: list[str], imported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", ray)
    direct = type("Direct", (TuneBase,), {})
    assert imported == []
    with block():
        type("Derived", (direct,), {})
    assert imported == expected
