"""The ``hp``: its values, ranges and scopes are KerasTuner's, without its mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from tune_jobs.keras_tuner import HyperParameters
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter, from_config


def asked(ask: Any) -> HyperParameter:
    hp = HyperParameters()
    ask(hp)
    return hp.space[-1]


@pytest.mark.parametrize(
    ("ask", "values"),
    [
        (lambda hp: hp.Int("n", 6, 13, step=3), [6, 9, 12]),
        (lambda hp: hp.Int("n", 2, 32, step=2, sampling="log"), [2, 4, 8, 16, 32]),
        (lambda hp: hp.Int("n", 1, 4), [1, 2, 3, 4]),
        (lambda hp: hp.Int("n", 5, 5), [5]),
        (lambda hp: hp.Float("x", 0, 0.5, step=0.1), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (lambda hp: hp.Float("x", 0, 1, step=0.1), [index / 10 for index in range(11)]),
        (lambda hp: hp.Float("x", 0, 0.9, step=0.3), [0.0, 0.3, 0.6, 0.9]),
        (lambda hp: hp.Float("x", 0, 1, step=0.3), [0.0, 0.3, 0.6, 0.9]),
        (lambda hp: hp.Float("x", 1e-4, 1e-1, step=10, sampling="log"), [1e-4, 1e-3, 1e-2, 1e-1]),
        (lambda hp: hp.Int("n", 1, 8, step=2, sampling="reverse_log"), [1, 5, 7, 8]),
        (lambda hp: hp.Choice("c", [True, False]), [True, False]),
        (lambda hp: hp.Choice("c", ["a", None, 3, 0.5, True, (3, 3)]), ["a", None, 3, 0.5, True, (3, 3)]),
        (lambda hp: hp.Boolean("b"), [False, True]),
        (lambda hp: hp.Fixed("f", "x"), ["x"]),
    ],
)
def test_the_values_of_a_range_are_all_there(ask: Any, values: list[Any]) -> None:
    declared = asked(ask)
    found = [declared.original(value) for value in declared.parameter.grid() or ()]
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize("sampling", ["linear", "log", "reverse_log"])
def test_a_range_without_steps_has_ten_values_in_order(sampling: str) -> None:
    declared: Any = asked(lambda hp: hp.Float("x", 1, 100, sampling=sampling))
    assert len(declared.values) == 10
    assert declared.values == sorted(declared.values)
    assert (declared.values[0], declared.values[-1]) == (1, 100)


@pytest.mark.parametrize(
    ("ask", "mistake"),
    [
        (lambda hp: hp.Int("n", 5, 1), "`min_value` is 5, but must be <= `max_value`"),
        (lambda hp: hp.Int("n", 0.5, 3), "`min_value` is 0.5, but must be a whole number: use hp.Float"),
        (lambda hp: hp.Int("n", 1, 9, step=0), "`step` is 0, but must be > 0"),
        (lambda hp: hp.Int("n", 0, 9, sampling="log"), "`min_value` is 0, but must be > 0 with sampling='log'"),
        (lambda hp: hp.Int("n", 1, 9, sampling="logarithmic"), "`sampling` is 'logarithmic', but must be 'linear'"),
        (lambda hp: hp.Int("n", 8, 16, step=8, default=10), "`default` is 10, but must be"),
        (lambda hp: hp.Float("x", "a", 1), "`min_value` is 'a', but must be a number"),
        (lambda hp: hp.Float("x", 0, 1, sampling="log"), "`min_value` is 0.0, but must be > 0"),
        (lambda hp: hp.Choice("c", []), "There are no values"),
        (lambda hp: hp.Choice("c", ["a", "b"], default="c"), "`default` is 'c', but must be one of"),
        (lambda hp: hp.Choice("c", [print]), "use its name, a string"),
        (lambda hp: hp.Choice("c", ["a", "b"], ordered=True), "`ordered` is True, but must be False"),
        (lambda hp: hp.Boolean("b", default="yes"), "`default` is 'yes', but must be True or False"),
        (lambda hp: hp.Fixed("f", {1, 2}), "use a list"),
        (lambda hp: hp.Int("", 1, 2), "name of a hyperparameter is ''"),
    ],
)
def test_a_mistake_is_told_with_name_value_and_rule(ask: Any, mistake: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at
        ask(HyperParameters())
    assert mistake in str(caught.value)


def test_defaults_are_those_of_keras_tuner() -> None:
    hp = HyperParameters()
    answers = [
        hp.Int("n", 2, 5),
        hp.Float("x", 0, 1),
        hp.Choice("c", ["a", "b"]),
        hp.Choice("none", ["a", None]),
        hp.Boolean("b"),
        hp.Fixed("f", 7),
        hp.Int("given", 0, 9, default=4),
        hp.Choice("chosen", [3, 5], default=5),
    ]
    assert answers == [2, 0.0, "a", None, False, 7, 4, 5]


def test_a_scope_that_is_not_active_answers_none() -> None:
    hp = HyperParameters()
    hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        assert hp.Float("momentum", 0, 0.9) is None
    assert hp.Float("beta", 0, 0.9, parent_name="optimizer", parent_values=["adam", "nadam"][:1]) == 0.0
    assert "momentum" not in hp
    assert not hp.is_active("momentum")
    assert hp.is_active("beta")
    with pytest.raises(ValueError, match="not active"):
        hp.get("momentum")
    with pytest.raises(KeyError, match="you may have meant `momentum`"):
        hp.get("momentun")


def test_a_scope_names_a_parent_and_its_values_rightly() -> None:
    hp = HyperParameters()
    hp.Choice("optimizer", ["adam", "sgd"])
    with pytest.raises(ValueError, match="no hyperparameter of this name"), hp.conditional_scope("optimiser", ["sgd"]):
        pass
    with pytest.raises(ValueError, match="never has the value 'sdg'"), hp.conditional_scope("optimizer", ["sdg"]):
        pass


def test_name_scopes_are_part_of_names() -> None:
    hp = HyperParameters()
    with hp.name_scope("encoder"), hp.name_scope("first"):
        hp.Int("units", 1, 3)
        assert hp.get("units") == 1
    assert hp["encoder/first/units"] == 1


def test_the_form_of_keras_tuner_is_written_and_read() -> None:
    hp = HyperParameters()
    hp.Int("n", 2, 5)
    hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["adam"]):
        hp.Float("rate", 1e-4, 1e-2, sampling="log")
    config = hp.get_config()
    assert config["space"][0] == {
        "class_name": "Int",
        "config": {
            "name": "n",
            "default": None,
            "conditions": [],
            "min_value": 2,
            "max_value": 5,
            "step": 1,
            "sampling": "linear",
        },
    }
    again = HyperParameters.from_config(config)
    assert again.get_config() == config
    assert again.space == hp.space
    with pytest.raises(ValueError, match="no hyperparameter of the kind"):
        from_config({"class_name": "Complex", "config": {}})


def test_a_copy_and_a_merge_leave_the_first_alone() -> None:
    hp = HyperParameters()
    hp.Int("n", 2, 5)
    twin = hp.copy()
    twin.values["n"] = 4
    twin.Boolean("b")
    assert hp.values == {"n": 2}
    hp.merge(twin, overwrite=False)
    assert hp.values == {"n": 2, "b": False}


def test_the_forms_are_those_of_keras_tuner_itself() -> None:
    theirs_module = pytest.importorskip("keras_tuner")
    theirs, ours = theirs_module.HyperParameters(), HyperParameters()
    for hp in (theirs, ours):
        hp.Int("n", 2, 5)
        hp.Int("u", 32, 512, step=32, default=64)
        hp.Int("b", 2, 32, step=2, sampling="log")
        hp.Float("rate", 1e-4, 1e-2, sampling="log")
        hp.Float("dropout", 0, 0.5, step=0.1, default=0.2)
        hp.Choice("optimizer", ["adam", "sgd"])
        hp.Choice("k", [1, 2, 3])
        hp.Boolean("bias")
        hp.Fixed("f", 3)
        with hp.conditional_scope("optimizer", ["adam"]):
            hp.Float("beta", 0.8, 0.9)
        with hp.conditional_scope("optimizer", ["sgd"]):
            hp.Float("momentum", 0.0, 0.9)
    assert ours.get_config() == theirs.get_config()
    assert [repr(one) for one in ours.space] == [repr(one) for one in theirs.space]
    assert HyperParameters.from_config(theirs.get_config()).values == theirs.values
