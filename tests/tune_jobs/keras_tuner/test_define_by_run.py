"""A space is found by running the code: each configuration is one that the code accepts, and uses exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from search_spaces import SearchSpace
from tests.support.hp_programs import Program, programs, runner
from tune_jobs.keras_tuner import HyperParameters
from tune_jobs.keras_tuner.define_by_run.parameters import Choice, Fixed, Int
from tune_jobs.keras_tuner.define_by_run.space import NOTHING_TO_SEARCH, FoundSpace, find_space
from tune_jobs.searchers import Bayesian, HyperOpt, Random


def used_exactly(code: Program, found: FoundSpace, config: dict[str, Any]) -> bool:
    """Return whether the code, run with a configuration, asks for just what the configuration has, and gets that."""
    hp = found.hyperparameters(config)
    before = dict(hp.values)
    code(hp)
    return hp.values == before and set(hp.asked) == set(before)


@settings(max_examples=60)
@given(programs())
def test_each_configuration_is_used_exactly(statements: tuple[Any, ...]) -> None:
    code = runner(statements)
    found = find_space(code)
    assert found.uncertain == ()
    generator = np.random.default_rng(0)
    for _ in range(15):
        config = found.space.sample(generator)
        if config.pop(NOTHING_TO_SEARCH, None) is None:
            assert used_exactly(code, found, config), (str(found.space), config)


@settings(max_examples=25)
@given(programs())
def test_every_choice_of_the_code_is_a_configuration(statements: tuple[Any, ...]) -> None:
    code = runner(statements)
    found = find_space(code)
    generator = np.random.default_rng(1)
    for _ in range(10):
        hp = HyperParameters.choosing(lambda declared: declared.original(declared.parameter.sample(generator)))
        code(hp)
        if hp.values:
            config = found.config(hp.values)
            assert config is not None
            assert found.hyperparameters(config).values == hp.values


def layers(hp: HyperParameters) -> None:
    for index in range(hp.Int("num_layers", 1, 5)):
        hp.Int(f"units_{index}", 32, 512, step=32)
    hp.Choice("optimizer", ["adam", "sgd", "rmsprop"])
    hp.Float("learning_rate", 1e-4, 1e-2, sampling="log")


def test_a_loop_makes_conditions() -> None:
    space = find_space(layers).space
    assert list(space.parameters)[:2] == ["num_layers", "units_0"]
    assert list(space.parameters)[-2:] == ["optimizer", "learning_rate"]
    for index in range(1, 5):
        [condition] = space.parameters[f"units_{index}"].conditions
        assert (condition.parent, condition.expected) == ("num_layers", list(range(index + 1, 6)))
    assert space.parameters["optimizer"].conditions == ()


@pytest.mark.parametrize("searcher", [Random(), HyperOpt(startup_trials=3), Bayesian(startup_trials=3)])
def test_searchers_work_on_it_as_on_a_declared_space(searcher: Any) -> None:
    found = find_space(layers)
    search = searcher.start(found.space, seed=1, rungs=(), max_epochs=1)
    for trial in range(10):
        config = search.propose(trial)
        assert used_exactly(layers, found, config)
        search.report(trial, 1, float(trial))
        search.end(trial, failed=False, trained_out=True)


def test_few_builds_are_enough() -> None:
    builds = []

    def counted(hp: HyperParameters) -> None:
        builds.append(1)
        layers(hp)

    find_space(counted)
    assert len(builds) < 90


def test_the_same_name_in_two_scopes_that_exclude_each_other() -> None:
    def code(hp: HyperParameters) -> list[Any]:
        hp.Choice("model", ["mlp", "cnn"])
        with hp.conditional_scope("model", ["mlp"]):
            first = hp.Int("units", 1, 4)
        with hp.conditional_scope("model", ["cnn"]):
            second = hp.Int("units", 10, 40)
        return [first, second]

    found = find_space(code)
    assert list(found.space.parameters) == ["model", "units", "units_if_model_is_cnn"]
    assert code(found.hyperparameters({"model": "mlp", "units": 3})) == [3, None]
    assert code(found.hyperparameters({"model": "cnn", "units_if_model_is_cnn": 33})) == [None, 33]


def test_one_of_two_answers_is_enough() -> None:
    def code(hp: HyperParameters) -> None:
        if hp.Boolean("a") or hp.Choice("b", [1, 2, 3]) == 3:
            hp.Int("x", 1, 3)

    found = find_space(code)
    configs = list(found.space.grid())
    assert all(used_exactly(code, found, config) for config in configs)
    assert len(configs) == 3 + 2 + 3


def test_a_name_with_two_ranges_in_one_scope_is_told_with_both_places() -> None:
    def code(hp: HyperParameters) -> None:
        hp.Int("units", 1, 4)
        hp.Int("units", 1, 8)

    with pytest.raises(ValueError, match="'units' is Int") as caught:
        find_space(code)
    assert str(caught.value).count(f"{__file__}:") == 2


def test_the_same_declaration_twice_is_one() -> None:
    def code(hp: HyperParameters) -> None:
        assert hp.Int("units", 1, 4) == hp.Int("units", 1, 4)

    assert list(find_space(code).space.parameters) == ["units"]


def test_names_become_identifiers_that_differ() -> None:
    def code(hp: HyperParameters) -> None:
        hp.Int("dense units", 1, 4)
        hp.Int("dense_units", 1, 4)
        with hp.name_scope("conv"):
            hp.Int("units", 1, 4)
        hp.Boolean("1st")
        hp.Choice("batch_size", [16, 32])

    found = find_space(code, reserved=["batch_size"])
    assert list(found.space.parameters) == ["dense_units", "dense_units_2", "conv_units", "_1st", "batch_size_2"]
    names = ["dense units", "dense_units", "conv/units", "1st", "batch_size"]
    assert [declared.name for declared in found.parameters.values()] == names


def test_a_configuration_that_cannot_be_built_is_no_mistake() -> None:
    def code(hp: HyperParameters) -> None:
        if hp.Int("pools", 0, 5) > 3:
            raise ValueError("the image is too small")
        hp.Boolean("bias")

    found = find_space(code)
    assert found.space.parameters["bias"].conditions == ()


def test_code_that_fails_with_its_defaults_is_tried_with_others() -> None:
    def code(hp: HyperParameters) -> None:
        if hp.Choice("kernel", [9, 3]) == 9:
            raise ValueError("the image is too small")
        hp.Boolean("bias")

    assert list(find_space(code).space.parameters) == ["kernel", "bias"]


def test_code_that_always_fails_says_so() -> None:
    def code(hp: HyperParameters) -> None:
        hp.Boolean("bias")
        raise RuntimeError("no network is right")

    with pytest.raises(RuntimeError, match="no network is right"):
        find_space(code)


def test_code_that_asks_for_nothing_has_one_configuration() -> None:
    found = find_space(lambda _: None)
    assert list(found.space.grid()) == [{NOTHING_TO_SEARCH: True}]
    assert found.hyperparameters({NOTHING_TO_SEARCH: True}).values == {}


def test_given_hyperparameters_stand_in_for_those_of_the_code() -> None:
    given_ones = [Fixed("optimizer", "sgd"), Int("units_0", 8, 16), Choice("batch", [16, 32])]
    found = find_space(layers, given_ones)
    assert found.space.parameters["optimizer"].size == 1
    assert found.space.parameters["units_0"].describe() == "8 … 16"
    assert found.space.parameters["batch"].conditions == ()  # the code never asks for it: its fit may
    hp = found.hyperparameters(found.space.sample(np.random.default_rng(0)))
    assert hp.get("batch") in (16, 32)


def test_time_is_bounded() -> None:
    found = find_space(layers, limit_s=0)
    assert "num_layers" in found.space.parameters


def test_it_becomes_json_and_back() -> None:
    space = find_space(layers).space
    assert SearchSpace.from_json(space.to_json()) == space
