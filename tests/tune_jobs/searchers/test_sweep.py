"""A sweep: its proposals, what it waits for, and what it refuses."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Fixed, Float, Int, InvalidDeclaration, SearchSpace
from tests.support.examples import with_examples
from tests.support.space_strategies import spaces
from tune_jobs.searchers import WAIT, Sweep

SPACE = SearchSpace(
    layers=Int(1, 3),
    units=Int(16, 64, step=16).per("layers"),
    optimizer=Choice("adam", "sgd"),
    momentum=Choice(0.0, 0.5, 0.9).when(optimizer="sgd"),
    rate=Float(1e-4, 1e-1, log=True),
)
PLAIN = SearchSpace(a=Choice(1, 2, 3), b=Choice("x", "y"), c=Boolean())


class Driver:
    """Runs a search one trial at a time; the loss is a function of the configuration."""

    def __init__(self, sweep: Sweep, space: SearchSpace, loss: Any = None) -> None:
        assert sweep.space_problems(space) == []
        self.search = sweep.start(space, seed=0, rungs=(), max_epochs=1)
        self.loss = loss or (lambda config: 0.0)
        self.configs: list[dict[str, Any]] = []

    def begin(self) -> Any:
        config = self.search.propose(len(self.configs))
        if isinstance(config, dict):
            self.configs.append(config)
        return config

    def end(self, trial: int, *, failed: bool = False) -> None:
        loss = self.loss(self.configs[trial])
        if loss is not None:
            self.search.report(trial, 1, loss)
        self.search.end(trial, failed=failed or loss is None, trained_out=True)

    def run(self) -> list[dict[str, Any]]:
        while isinstance(self.begin(), dict):
            self.end(len(self.configs) - 1)
        return self.configs


def test_the_winner_of_a_step_is_carried_into_the_next() -> None:
    def loss(config: dict[str, Any]) -> float:
        return abs(config["a"] - 2) + (config["b"] == "x") + (not config["c"])

    assert Driver(Sweep(), PLAIN, loss).run() == [
        {"a": 1, "b": "x", "c": False},
        {"a": 2, "b": "x", "c": False},
        {"a": 3, "b": "x", "c": False},
        {"a": 2, "b": "y", "c": False},
        {"a": 2, "b": "y", "c": True},
    ]


def test_the_configuration_that_a_step_begins_with_may_win_it() -> None:
    driver = Driver(Sweep(("a", ("b", "c")), start={"b": "y"}), PLAIN, lambda config: len(driver.configs))
    assert driver.run()[3:] == [
        {"a": 1, "b": "x", "c": False},
        {"a": 1, "b": "x", "c": True},
        {"a": 1, "b": "y", "c": True},
    ]


def test_of_equals_the_first_trial_wins() -> None:
    assert Driver(Sweep(("a", "b")), PLAIN).run()[-1] == {"a": 1, "b": "y", "c": False}


def test_failures_lose_and_when_all_fail_nothing_changes() -> None:
    one = Driver(Sweep(("a", "b")), PLAIN, lambda config: None if config["a"] == 1 else config["a"]).run()
    assert one[-1] == {"a": 2, "b": "y", "c": False}
    none = Driver(Sweep(("a", "b"), start={"a": 3}), PLAIN, lambda config: None).run()
    assert none[-1] == {"a": 3, "b": "y", "c": False}


def test_a_trial_that_failed_after_good_epochs_loses() -> None:
    driver = Driver(Sweep(("c", "b")), PLAIN, lambda config: -float(config["c"]))
    driver.begin(), driver.begin()
    driver.end(0)
    driver.end(1, failed=True)
    assert driver.begin() == {"a": 1, "b": "y", "c": False}


def test_a_step_waits_for_all_its_trials_and_the_last_one_for_none() -> None:
    driver = Driver(Sweep(("a", "c")), PLAIN)
    for _ in range(3):
        assert isinstance(driver.begin(), dict)
    for trial in (2, 0, 1):
        assert driver.begin() is WAIT
        driver.end(trial)
    assert driver.begin() == {"a": 1, "b": "x", "c": True}
    assert driver.begin() is None


def test_lists_and_conditions() -> None:
    """A longer list keeps its values. A parameter that becomes active has its start value, or the first of its grid."""

    def loss(config: dict[str, Any]) -> float:
        return -config["layers"] - (config["optimizer"] == "sgd") - config.get("momentum", 0)

    start = {"layers": 2, "units": [32, 48], "momentum": 0.5, "rate": 0.01}
    assert Driver(Sweep(("layers", "optimizer", "momentum"), start), SPACE, loss).run() == [
        {"layers": 1, "units": [32], "optimizer": "adam", "rate": 0.01},
        {"layers": 2, "units": [32, 48], "optimizer": "adam", "rate": 0.01},
        {"layers": 3, "units": [32, 48, 16], "optimizer": "adam", "rate": 0.01},
        {"layers": 3, "units": [32, 48, 16], "optimizer": "sgd", "momentum": 0.5, "rate": 0.01},
        {"layers": 3, "units": [32, 48, 16], "optimizer": "sgd", "momentum": 0.0, "rate": 0.01},
        {"layers": 3, "units": [32, 48, 16], "optimizer": "sgd", "momentum": 0.9, "rate": 0.01},
    ]


def test_one_start_value_serves_all_elements() -> None:
    configs = Driver(Sweep(("layers",), {"units": 48, "rate": 0.01}), SPACE).run()
    assert [config["units"] for config in configs] == [[48], [48, 48], [48, 48, 48]]


def test_a_step_that_is_not_active_is_skipped() -> None:
    sweep = Sweep(("optimizer", "momentum", "layers"), {"rate": 0.01})
    configs = Driver(sweep, SPACE, lambda config: config["optimizer"] == "sgd").run()
    assert [config.get("momentum") for config in configs] == [None, 0.0, None, None]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("layers", "steps"),
        ((), None),
        (("a", ()), "none empty"),
        ((("a", 1),), "none empty"),
        (5, "groups of parameter names"),
        (("a", ("b", "a")), "'a' is named 2 times, but must be named once: remove the others"),
        (({"a": 1},), "groups of parameter names"),
    ],
)
def test_values_that_are_no_steps(steps: Any, message: str | None) -> None:
    if message is None:
        assert Sweep(steps).problems() == []
        return
    with pytest.raises(InvalidDeclaration, match=message.replace("(", r"\(")):
        Sweep(steps)


def test_all_mistakes_are_reported_at_once() -> None:
    assert Sweep(("layer", "rate"), {"optimiser": "adam", "units": [16, 17], "momentum": 2}).space_problems(SPACE) == [
        "steps: 'layer' is not a parameter of the space: you may have meant `layers`.",
        "start: 'optimiser' is not a parameter of the space: you may have meant `optimizer`.",
        "start: units is 17, but must be a whole number of 16 … 64 step 16.",
        "start: momentum is 2, but must be one of 0.0, 0.5, 0.9.",
        "steps: rate has a continuum of values, but a step needs a finite set: give it a step, or make it a Choice, in "
        "the space.",
    ]
    (problem,) = Sweep(("layers",)).space_problems(SPACE)
    assert problem == (
        "start: rate has a continuum of values and is in no step, but must have one value: add it, as in "
        "start={'rate': …}."
    )
    with pytest.raises(InvalidDeclaration, match="must be values by name"):
        Sweep(("a",), start=[1])


def test_a_space_with_nothing_to_choose_is_reported() -> None:
    (problem,) = Sweep(("momentum",), {"rate": 0.01}).space_problems(SPACE)
    assert problem.startswith("steps: None leaves anything to choose")
    assert len(Sweep().space_problems(SearchSpace(a=Fixed(1)))) == 1


def test_it_survives_json() -> None:
    sweep = Sweep(("a", ["b", "c"]), {"a": 2})
    data = sweep.to_json()
    assert data == {"kind": "sweep", "steps": (("a",), ("b", "c")), "start": {"a": 2}}
    settings_ = {name: value for name, value in data.items() if name != "kind"}
    assert Sweep(**settings_) == sweep


def test_the_limit_is_exact_where_no_condition_closes_a_step() -> None:
    assert Sweep().limit(PLAIN) == 1 + 2 + 1 + 1
    assert Sweep((("a", "b"), "c")).limit(PLAIN) == 6 + 1
    start = {"rate": 0.01}
    assert Sweep((("layers", "units"),), start).limit(SPACE) == 4 + 16 + 64
    assert Sweep(("units",), start).limit(SPACE) == 64
    assert Sweep((("optimizer", "momentum"),), start).limit(SPACE) == 4
    assert Sweep(("optimizer", "momentum"), start).limit(SPACE) == 4


@given(space=spaces(finite=True), data=st.data())
@with_examples(60)
def test_in_any_finite_space(space: SearchSpace, data: st.DataObject) -> None:
    """Every proposal lies in the space, none comes twice, none is outside the step, and the limit holds."""
    names = data.draw(st.permutations(list(space.parameters)))
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(names) - 1)))) | {len(names)})
    groups = [tuple(names[one:other]) for one, other in zip([0, *cuts], cuts, strict=False) if names[one:other]]
    sweep = Sweep(tuple(groups))
    assume(sweep.limit(space) <= 300)
    problems = sweep.space_problems(space)
    assert not problems or space.size == 1 or problems[0].startswith("steps: None leaves")
    assume(not problems)
    configs = Driver(sweep, space, lambda config: hash(str(config)) % 7 or None).run()
    assert all(space.contains(config) for config in configs)
    assert len(set(map(str, configs))) == len(configs) <= sweep.limit(space)
    assert math.isfinite(sweep.limit(space))
