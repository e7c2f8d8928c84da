"""One class knows which way is better, and no other module compares with "max" or "min"."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from search_spaces import InvalidDeclaration
from tune_jobs.base.objective import Objective, direction

ROOT = Path(__file__).parents[3]
PACKAGES = ("search_spaces", "trainables", "tune_jobs")
KNOW_THE_MODES = {
    "trainables/settings.py",
    "tune_jobs/base/objective.py",
    "tune_jobs/host/capacity.py",  # "max" is also how a cgroup says that a process may use all CPUs
}

HIGHEST, LOWEST = Objective("accuracy", "max"), Objective("loss", "min")


def test_a_loss_is_less_for_the_better() -> None:
    assert HIGHEST.loss(0.9) < HIGHEST.loss(0.8)
    assert LOWEST.loss(0.9) > LOWEST.loss(0.8)


@pytest.mark.parametrize(("objective", "good", "bad"), [(HIGHEST, 0.9, 0.8), (LOWEST, 0.8, 0.9)])
def test_the_better_of_two_values(objective: Objective, good: float, bad: float) -> None:
    assert objective.is_better(good, bad)
    assert not objective.is_better(bad, good)
    assert not objective.is_better(good, good)
    assert not objective.is_better(math.nan, bad)
    assert objective.gain(good, bad) == pytest.approx(0.1)
    assert objective.gain(bad, good) == pytest.approx(-0.1)


@pytest.mark.parametrize(("objective", "best"), [(HIGHEST, ("c", 3.0)), (LOWEST, ("b", 1.0))])
def test_the_best_is_the_first_of_equals(objective: Objective, best: tuple[str, float]) -> None:
    candidates = [("a", 2.0), ("b", 1.0), ("c", 3.0), ("d", 3.0), ("e", 1.0)]
    assert objective.best(candidates, lambda candidate: candidate[1]) == best
    assert objective.best([], lambda candidate: candidate[1]) is None


def test_a_direction_in_words() -> None:
    assert direction(HIGHEST.mode) == "more is better"
    assert direction(LOWEST.mode) == "less is better"


def test_it_is_made_again_from_its_json() -> None:
    assert Objective(**HIGHEST.to_json()) == HIGHEST


@pytest.mark.parametrize(
    ("metric", "mode", "mistake"), [("", "max", "`metric` is ''"), ("loss", "low", "`mode` is 'low'")]
)
def test_a_mistake_is_told(metric: str, mode: str, mistake: str) -> None:
    with pytest.raises(InvalidDeclaration, match=mistake):
        Objective(metric, mode)  # type: ignore[arg-type]


def decisions(source: str) -> Iterator[int]:
    """Yield the lines of a module that compare something with a mode, or choose by one."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, comparators=others):
                parts: list[ast.expr] = [left, *others]
            case ast.Dict(keys=keys):
                parts = [key for key in keys if key is not None]
            case ast.MatchValue(value=value):
                parts = [value]
            case _:
                continue
        constants = [each for part in parts for each in ast.walk(part) if isinstance(each, ast.Constant)]
        if any(constant.value in ("max", "min") for constant in constants):
            yield parts[0].lineno


def test_every_way_to_decide_is_seen() -> None:
    assert list(decisions('pick = max if mode == "max" else min')) == [1]
    assert list(decisions('mode not in ("max", "min")')) == [1]
    assert list(decisions('{"max": max, "min": min}[mode]')) == [1]
    assert list(decisions('match mode:\n    case "min":\n        pass')) == [2]
    assert list(decisions('mode = "max"')) == []


def test_no_other_module_knows_which_way_is_better() -> None:
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    deciding = {str(path.relative_to(ROOT)) for path in modules if list(decisions(path.read_text(encoding="utf-8")))}
    assert deciding == KNOW_THE_MODES
