"""SearchSpace: conditions, repetition, samples, validation, JSON, and every way to declare it wrongly."""

from __future__ import annotations

import contextlib
import json
import pickle
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces import Boolean, Choice, Fixed, Float, Int, InvalidDeclaration, SearchSpace
from search_spaces.checked import deferred_checks
from search_spaces.examples import digits_mlp, fashion_mnist_mlp
from tests.support import space_strategies as some
from tests.support.examples import with_examples

NESTED = SearchSpace(
    blocks=Int(0, 2),
    kind=Choice("conv", "dense").per("blocks"),
    layers=Int(0, 2).per("blocks").when(kind="conv"),
    filters=Int(8, 16, step=8).per("layers"),
    rate=Choice(None, 0.5).per("layers").when(kind="conv", blocks=2),
)


def labels_of(space: SearchSpace) -> list[str]:
    return [slot.label for slot in space.slots()]


@pytest.mark.parametrize(
    "space", [digits_mlp.SPACE, fashion_mnist_mlp.SPACE, NESTED], ids=["digits", "fashion", "nested"]
)
def test_active_parameters_and_only_those_are_in_a_sample(space: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        config = space.sample(rng)
        assert space.validate(config) == []
        if "optimizer" in config:
            assert len(config["units"]) == config["layers"]
            assert ("momentum" in config) == (config["optimizer"] == "sgd")
    assert space.sample(np.random.default_rng(5)) == space.sample(np.random.default_rng(5))


def test_configuration_is_in_declaration_order_although_parents_come_later() -> None:
    space = SearchSpace(
        units=Int(1, 2).per("layers"), momentum=Int(1, 2).when(sgd=True), layers=Fixed(2), sgd=Fixed(True)
    )
    assert list(space.sample(np.random.default_rng(0))) == ["units", "momentum", "layers", "sgd"]


def test_elements_whose_condition_fails_are_none_and_zero_repeats_are_an_empty_list() -> None:
    labelled = {
        "blocks": 2, "kind_0": "dense", "kind_1": "conv", "layers_1": 1,
        "filters_1_0": 8, "rate_1_0": None, "rate_0_0": 0.5,
    }  # fmt: skip
    config = NESTED.unflatten(labelled)
    assert config == {
        "blocks": 2,
        "kind": ["dense", "conv"],
        "layers": [None, 1],
        "filters": [None, [8]],
        "rate": [None, [None]],
    }
    assert NESTED.flatten(config) == {label: labelled[label] for label in labelled if label != "rate_0_0"}
    assert NESTED.unflatten({"blocks": 0}) == {"blocks": 0, "kind": [], "layers": [], "filters": []}


def test_slots_are_all_that_there_can_be_in_declaration_order() -> None:
    space = SearchSpace(layers=Int(0, 2), units=Int(1, 9).per("layers"), sizes=Choice(1, 2).per("units"))
    assert labels_of(SearchSpace(layers=Int(0, 2), units=Int(1, 2).per("layers"))) == [
        "layers",
        "units_0",
        "units_1",
    ]
    assert len(space.slots()) == 1 + 2 + 2 * 9
    last = space.slots()[-1]
    assert (last.label, last.name, last.index, last.parameter) == (
        "sizes_1_8",
        "sizes",
        (1, 8),
        space.parameters["sizes"],
    )


def test_a_parameter_may_be_called_self() -> None:
    space = SearchSpace(**{"self": Choice("a", "b"), "units": Int(1, 3).when(self="a")})
    assert [set(configuration) for configuration in space.grid() if configuration["self"] == "b"] == [{"self"}]


def test_a_child_of_a_conditional_parent_goes_with_it() -> None:
    space = SearchSpace(
        a=Boolean(),
        b=Int(0, 1).when(a=True),
        c=Int(7, 8).when(b=1),
        d=Int(1, 2).per("b"),
        e=Int(1, 2).per("b").when(a=True),
    )
    assert space.unflatten({"a": False}) == {"a": False}
    assert space.unflatten({"a": True, "b": 0}) == {"a": True, "b": 0, "d": [], "e": []}
    assert space.unflatten({"a": True, "b": 1, "c": 7, "d_0": 1, "e_0": 2})["e"] == [2]


def test_condition_on_a_parent_that_chooses_between_lists() -> None:
    space = SearchSpace(
        shape=Choice((3, 3), (5, 5), 3),
        one=Int(1, 2).when(shape=(3, 3)),
        several=Int(1, 2).when(shape=[(5, 5), 3]),
    )
    active = {str(config["shape"]): list(config)[1:] for config in space.grid()}
    assert active == {"[3, 3]": ["one"], "[5, 5]": ["several"], "3": ["several"]}


def test_configurations_own_their_values() -> None:
    space = SearchSpace(kernel=Choice([1, 2], [3]), fixed=Fixed({"a": []}))
    config = space.sample(np.random.default_rng(0))
    config["kernel"].append(9)
    config["fixed"]["a"].append(9)
    assert all(9 not in each["kernel"] and each["fixed"] == {"a": []} for each in space.grid())


@with_examples(80)
@given(some.spaces(), st.integers(0, 2**32))
def test_samples_are_contained_and_forms_round_trip(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = set(labels_of(space))
    for _ in range(5):
        config = space.sample(rng)
        assert space.validate(config) == []
        assert space.contains(json.loads(json.dumps(config)))
        flat = space.flatten(config)
        assert flat.keys() <= labels
        assert space.unflatten(flat) == config
        assert list(space.unflatten(flat)) == [name for name in space.parameters if name in config]
    again = SearchSpace.from_json(json.loads(json.dumps(space.to_json())))
    assert again == space
    assert hash(again) == hash(space)
    assert eval(repr(space)) == space  # noqa: S307
    assert pickle.loads(pickle.dumps(space)) == space  # noqa: S301
    assert str(space)


@with_examples(60)
@given(some.spaces(), st.data())
def test_a_changed_configuration_is_refused(space: SearchSpace, data: st.DataObject) -> None:
    config = space.sample(np.random.default_rng(0))
    name = data.draw(st.sampled_from(sorted(space.parameters)))
    if name in config:
        removed = {key: value for key, value in config.items() if key != name}
        assert any(reason.startswith(f"{name} is missing") for reason in space.validate(removed))
        assert space.validate({**config, name: {"no": "value"}})
    else:
        assert any("but must be absent" in reason for reason in space.validate({**config, name: 1}))
    assert any("not a parameter" in reason for reason in space.validate({**config, "zzz": 1}))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"learning_rat": 0.1},
            "'learning_rat' is not a parameter of the space: you may have meant `learning_rate`.",
        ),
        ({"momentum": 0.5}, "momentum is 0.5, but must be absent, because it needs optimizer = 'sgd'."),
        ({"units": [32]}, "units is [32], but must be a list of 2 values, because layers is 2."),
        ({"units": [32, 33]}, "units_1 is 33, but must be a whole number of 16 … 128 step 16."),
        ({"units": 32}, "units is 32, but must be a list of 2 values"),
        ({"optimizer": "sdg"}, "optimizer is 'sdg', but must be one of 'adam', 'rmsprop', 'sgd'."),
        ({"layers": 4}, "layers is 4, but must be a whole number of 1 … 3."),
        ({"dropout": None}, "dropout is None, but must be a number of 0 … 0.5 step 0.1."),
    ],
)
def test_each_reason_is_given_and_none_that_only_follows_from_it(change: dict[str, Any], reason: str) -> None:
    config = {
        "layers": 2,
        "units": [16, 32],
        "dropout": 0.1,
        "optimizer": "adam",
        "learning_rate": 0.01,
        "batch_size": 32,
    }
    assert digits_mlp.SPACE.contains(config)
    (found,) = digits_mlp.SPACE.validate(config | change)
    assert reason in found


def test_validation_reports_all_reasons_and_takes_anything() -> None:
    assert len(digits_mlp.SPACE.validate({})) == 5
    for other in (None, 3, [], "x", {1: 2}, {"layers": {}}, {"layers": float("nan")}):
        assert digits_mlp.SPACE.validate(other)
    with pytest.raises(ValueError, match="layers is missing"):
        digits_mlp.SPACE.flatten({})
    with pytest.raises(ValueError, match="units_0 is missing"):
        digits_mlp.SPACE.unflatten({"layers": 1})
    with pytest.raises(ValueError, match="layers is 9, but must be"):
        digits_mlp.SPACE.unflatten({"layers": 9})


MISTAKES = [
    (lambda: SearchSpace(), ["no parameters, but must have at least one"]),
    (
        lambda: SearchSpace(**{"learning rate": Int(1, 2)}),
        ["`name` is 'learning rate', .*identifier: use letters"],
    ),
    (lambda: SearchSpace(units=5), ["`units` is 5, but must be an Int, .*: write Fixed"]),
    (lambda: SearchSpace(units=[1, 2]), [r"`units` is \[1, 2\], .*: write Choice"]),
    (
        lambda: SearchSpace(adam=Int(1, 2), x=Int(1, 2).when(adm=1)),
        ["x: The parent 'adm' .*you may have meant `adam`"],
    ),
    (lambda: SearchSpace(a=Int(1, 2).per("b")), ["a: The parent 'b' is not a parameter"]),
    (
        lambda: SearchSpace(o=Choice("adam", "sgd"), m=Float(0, 1).when(o="sdg")),
        ["m: The condition on `o` can never hold: the value is 'sdg', but must be one of 'adam', 'sgd'"],
    ),
    (
        lambda: SearchSpace(a=Boolean(), b=Int(1, 2).when(a=1)),
        ["can never hold: the value is 1, but must be"],
    ),
    (lambda: SearchSpace(a=Float(0, 1), b=Int(1, 2).when(a=0.5)), ["one value of a continuous range"]),
    (lambda: SearchSpace(a=Int(1, 2), b=Int(1, 2).when(a=1).when(a=2)), ["contradict each other"]),
    (lambda: SearchSpace(a=Int(1, 2).when(a=1)), ["a: It depends on itself, a -> a"]),
    (
        lambda: SearchSpace(a=Int(1, 2).when(b=1), b=Int(1, 2).per("c"), c=Int(1, 2).when(a=1), d=Int(1, 2).when(a=1)),
        ["depends on itself, a -> b -> c -> a, but must not: remove"],
    ),
    (
        lambda: SearchSpace(a=Choice("x"), b=Int(1, 2).per("a")),
        ["b: It is repeated per `a`, which is Choice.'x'.*>= 0"],
    ),
    (lambda: SearchSpace(a=Int(-1, 2), b=Int(1, 2).per("a")), ["b: It is repeated per `a`"]),
    (lambda: SearchSpace(a=Boolean(), b=Int(1, 2).per("a")), ["b: It is repeated per `a`"]),
    (lambda: SearchSpace(a=Float(1, 2, step=1), b=Int(1, 2).per("a")), ["b: It is repeated per `a`"]),
    (
        lambda: SearchSpace(a=Int(1, 10**9), b=Int(1, 2).per("a")),
        ["b: It is repeated up to 1000000000 times, .*lower `a`"],
    ),
    (
        lambda: SearchSpace(n=Int(1, 2), a=Int(1, 2).per("n"), b=Int(1, 2).when(a=1)),
        ["b: The condition on `a` looks at one element of a list, .*add .per.'n'"],
    ),
    (
        lambda: SearchSpace(n=Int(1, 2), m=Int(1, 2), a=Int(1, 2).per("n"), b=Int(1, 2).per("m").when(a=1)),
        ["b: The condition on `a` looks at one element"],
    ),
    (
        lambda: SearchSpace(n=Int(1, 2), units=Int(1, 2).per("n"), units_0=Int(1, 2)),
        ["units: .* `units_0`, .*rename"],
    ),
    (
        lambda: SearchSpace(a=Int(5, 1), b=Choice("x").when(z=1), c=3, d=Int(1, 2).when(e=1), e=Int(1, 2).when(d=1)),
        ["a: The value of `upper` is 1", "b: The parent 'z'", "`c` is 3", "depends on itself, d -> e -> d"],
    ),
]


@pytest.mark.parametrize(("declare", "messages"), MISTAKES)
def test_every_mistake_is_reported_with_name_value_and_remedy(declare: Callable[[], Any], messages: list[str]) -> None:
    with deferred_checks():
        space = declare()
    with pytest.raises(InvalidDeclaration) as caught:
        raise InvalidDeclaration(space.problems())
    for message in messages:
        caught.match(message)
    assert len(caught.value.problems) == len(messages)
    if all(each.problems() == [] for each in space.parameters.values() if hasattr(each, "problems")):
        with pytest.raises(InvalidDeclaration):
            declare()


garbage: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 2**70, float("nan"), "x", "a", [], [[]], {}, print, ("a",), {"a"}]
)


@with_examples(150)
@given(st.data())
def test_problems_never_raise_whatever_was_declared(data: st.DataObject) -> None:
    draw = data.draw
    with deferred_checks():
        space: dict[str, Any] = {}
        for name in ("a", "b", "c"):
            kind: Any = draw(st.sampled_from([Int, Float, Choice, Fixed, None]))
            if kind is None:
                space[name] = draw(garbage)
                continue
            arity = 1 if kind is Fixed else 3
            parameter = kind(*[draw(garbage | st.integers(0, 3)) for _ in range(arity)])
            if draw(st.booleans()):
                parameter = parameter.when(**{draw(st.sampled_from("abcd")): draw(garbage)})
            space[name] = parameter.per(draw(garbage)) if draw(st.booleans()) else parameter
        problems = SearchSpace(**space).problems()
    assert all(isinstance(each, str) for each in problems)


valid_json = st.deferred(lambda: some.spaces(most=3).map(SearchSpace.to_json))
any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["Int", "a", "kind"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "name", "lower", "when"]), inner)
    ),
    max_leaves=6,
)


@with_examples(100)
@given(valid_json, any_json, st.data())
def test_hostile_json_raises_nothing_but_the_declared_error(
    data: dict[str, Any], poison: Any, choose: st.DataObject
) -> None:
    entry = choose.draw(st.sampled_from(data["parameters"]))
    entry[choose.draw(st.sampled_from([*sorted(entry), "new"]))] = poison
    for hostile in (data, poison, {"parameters": poison}, {"parameters": [poison]}):
        with contextlib.suppress(InvalidDeclaration):
            SearchSpace.from_json(hostile)


def test_from_json_reports_everything_at_once() -> None:
    data = {
        "parameters": [
            {"name": "a", "kind": "Int", "lower": 3, "upper": 1},
            {"name": "b", "kind": "Imt"},
            {"name": "c", "kind": "Float", "lower": 1, "uper": 2},
            {"name": "a", "kind": "Boolean"},
        ]
    }
    with pytest.raises(InvalidDeclaration) as caught:
        SearchSpace.from_json(data)
    text = str(caught.value)
    for part in (
        "b: The value of `kind` is 'Imt'",
        "you may have meant `Int`",
        "c: The Float has no `upper`",
        "'uper'",
        "of its own",
    ):
        assert part in text
    with pytest.raises(InvalidDeclaration, match="a: The value of `upper` is 1"):
        SearchSpace.from_json({"parameters": data["parameters"][:1]})


def test_table_shows_every_parameter() -> None:
    lines = str(fashion_mnist_mlp.SPACE).splitlines()
    columns = {line.split()[0]: line for line in lines[1:8]}
    assert list(columns) == list(fashion_mnist_mlp.SPACE.parameters)
    assert "32 … 512 step 32" in columns["units"]
    assert "per layers" in columns["units"]
    assert "when optimizer = 'sgd'" in columns["momentum"]
    assert "0.0001 … 0.01 log" in columns["learning_rate"]
    assert lines[-1] == "7 parameters, ∞ configurations"


def test_repeated_values_are_drawn_independently() -> None:
    space = SearchSpace(n=Fixed(2), x=Boolean().per("n"))
    rng = np.random.default_rng(3)
    seen = Counter(tuple(space.sample(rng)["x"]) for _ in range(2_000))
    assert min(seen.values()) > 420
    assert len(seen) == 4


def test_conditions_may_be_500_deep() -> None:
    chain = {"p0": Choice(0, 1)} | {f"p{i}": Choice(0, 1).when(**{f"p{i - 1}": 1}) for i in range(1, 500)}
    space = SearchSpace(**chain)
    assert space.size == 501
    assert space.contains(space.sample(np.random.default_rng(0)))


def test_of_very_many_wrong_values_of_a_condition_some_are_named() -> None:
    with pytest.raises(InvalidDeclaration) as caught:
        SearchSpace(a=Choice(1, 2), b=Int(1, 2).when(a=list(range(10**5))))
    assert len(caught.value.problems) == 31
    assert "`a` has more such values, 100,000 in all: remove them." in caught.value.problems[-1]
