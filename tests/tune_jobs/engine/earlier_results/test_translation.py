"""The translation of earlier results into a space that has changed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Fixed, Float, Int, SearchSpace
from tests.support.examples import with_examples
from tune_jobs import WarmStart
from tune_jobs.engine.earlier_results.source import labelled
from tune_jobs.engine.earlier_results.translation import Changes, LeftOut, translated

PARAMETERS = {
    "rate": [Float(1e-4, 1e-1, log=True), Float(1e-3, 1.0, log=True), Float(1e-4, 1e-1, step=10, log=True)],
    "units": [Int(16, 128), Int(32, 64, step=16), Int(1, 1024, log=True), Choice(32, 64)],
    "optimizer": [Choice("adam", "sgd"), Choice("sgd", "rmsprop"), Fixed("adam")],
    "momentum": [Float(0.0, 0.9), Float(0.0, 0.9).when(optimizer="sgd")],
    "layers": [Int(1, 2), Int(1, 4), Int(2, 3)],
    "width": [Int(4, 8).per("layers"), Int(6, 12).per("layers"), Int(4, 8)],
    "bias": [Boolean(), Choice(True, None, [1, 2])],
}


@st.composite
def spaces(draw: Any) -> SearchSpace:
    names = draw(st.sets(st.sampled_from(sorted(PARAMETERS)), min_size=1))
    names |= {"layers"} if "width" in names else set()
    chosen = {name: draw(st.sampled_from(PARAMETERS[name])) for name in PARAMETERS if name in names}
    if "momentum" in chosen and chosen["momentum"].conditions and "sgd" not in (_values(chosen.get("optimizer")) or ()):
        del chosen["momentum"]
    assume(chosen)
    return SearchSpace(**chosen)


def _values(parameter: Any) -> Any:
    return None if parameter is None else parameter.grid()


def as_texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def result_of(values: dict[str, Any], space: SearchSpace, /, **how: Any) -> tuple[dict[str, Any], Changes]:
    return translated(values, space, WarmStart("x", **how), np.random.default_rng(0))


@given(spaces(), spaces(), st.integers(0, 99), st.sampled_from(["drop", "clamp"]), st.booleans())
@with_examples(300)
def test_a_result_becomes_a_configuration_or_a_reason(
    old: SearchSpace, new: SearchSpace, seed: int, outside: Any, is_text: bool
) -> None:
    values = labelled(old.sample(np.random.default_rng(seed)))
    said = ""
    try:
        config, changes = result_of(as_texts(values) if is_text else values, new, outside=outside)
    except LeftOut as reason:
        said = str(reason)
    if said:
        assert any(name in said for name in new.parameters)
        return
    assert new.validate(config) == []
    kept = {slot.name for slot in new.slots() if slot.label in values}
    assert not changes.drawn.keys() & (kept - {"width"})
    assert not changes.clamped or outside == "clamp"
    for name, value in new.flatten(config).items():
        if name in values and not (changes.moved or changes.clamped):
            assert value == pytest.approx(values[name]) if isinstance(value, float) else value == values[name]


@given(spaces(), st.integers(0, 99), st.booleans())
@with_examples(200)
def test_the_same_space_changes_nothing(space: SearchSpace, seed: int, is_text: bool) -> None:
    config = space.sample(np.random.default_rng(seed))
    values = labelled(config)
    same, changes = result_of(as_texts(values) if is_text else values, space)
    assert same == config
    assert changes == Changes()


def test_each_kind_of_change() -> None:
    space = SearchSpace(rate=Float(0.1, 0.5), units=Int(16, 64, step=16), optimizer=Choice("adam", "sgd"))
    whole = {"rate": 0.2, "units": 30, "optimizer": "sgd", "gone": 3}
    config, changes = result_of(whole, space)
    assert config == {"rate": 0.2, "units": 32, "optimizer": "sgd"}
    assert changes.sentences(frozenset(whole), space) == [
        "units moved to the nearest step in 1",
        "gone is not in this space and left out",
    ]
    config, changes = result_of(whole | {"rate": 0.7}, space, outside="clamp")
    assert (config["rate"], changes.clamped) == (0.5, {"rate": 1})
    for value, reason in [(0.7, "outside rate's range"), ("high", "with rate = high, which is no number")]:
        with pytest.raises(LeftOut, match=reason):
            result_of(whole | {"rate": value}, space)
    with pytest.raises(LeftOut, match="outside optimizer's values"):
        result_of(whole | {"optimizer": "lion"}, space, outside="clamp")


def test_a_new_parameter_has_the_given_value_or_is_drawn_anew_for_each() -> None:
    space = SearchSpace(rate=Float(0.1, 0.5), dropout=Float(0.0, 0.5))
    rng = np.random.default_rng(0)
    drawn = [translated({"rate": 0.2}, space, WarmStart("x"), rng)[0]["dropout"] for _ in range(5)]
    assert len(set(drawn)) == 5
    config, changes = result_of({"rate": 0.2}, space, values={"dropout": 0.0})
    assert (config["dropout"], changes.given, changes.drawn) == (0.0, {"dropout": 1}, {})


def test_values_of_inactive_parameters_do_not_count() -> None:
    space = SearchSpace(optimizer=Choice("adam", "sgd"), momentum=Float(0.0, 0.9).when(optimizer="sgd"))
    assert result_of({"optimizer": "adam", "momentum": 7.0}, space) == ({"optimizer": "adam"}, Changes())
