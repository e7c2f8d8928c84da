"""Names of a run's own that a trainable takes by chance are refused with another name to take; the rest is allowed."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from typing import Any

import pytest

from search_spaces.checked import InvalidDeclaration
from tests.support import idle_lab, share_lab
from tests.support.fakes import experiment
from trainables import Hypergradient, KerasTrainable
from trainables.report import Report
from tune_jobs.errors import RequestError  # noqa: F401
from tune_jobs.experiment.trainable_problems import trainable_problems


class Sound(KerasTrainable):
    def build_model(self, config: dict[str, Any]) -> Any:
        return None

    def load_data(self) -> Any:
        return None


def named(**names: Any) -> type[KerasTrainable]:
    return type("Clash", (Sound,), names)


def other(self: Any, epoch: int, logs: Any) -> None:
    pass


@pytest.mark.parametrize("name", ["setup", "step", "reset_config", "cleanup", "standalone", "_begin_training"])
@pytest.mark.parametrize(
    "value", [other, 5, property(lambda self: 5), (1, 2)], ids=["method", "int", "property", "tuple"]
)
def test_a_name_of_ours_is_refused_with_another_one(name: str, value: Any) -> None:
    (problem,) = trainable_problems(named(**{name: value}))
    assert problem.startswith(f"trainable: Clash.{name} ")
    assert f"but a run calls {name}(" in problem
    assert f"take another one, such as own_{name}." in problem


def test_a_method_of_the_users_with_other_arguments_is_told_its_own() -> None:
    (problem,) = trainable_problems(named(build_model=lambda self, hp, x, y: None))
    assert problem == (
        "trainable: Clash.build_model takes (self, hp, x, y), but a run calls build_model(config) or "
        "build_model(config, data): define it as def build_model(self, config)."
    )
    (problem,) = trainable_problems(named(load_data=lambda: None))
    assert "def load_data(self)" in problem


def test_a_model_may_be_built_for_the_data() -> None:
    assert trainable_problems(named(build_model=lambda self, config, data: None)) == []


def test_all_are_told_at_once_when_the_experiment_is_declared() -> None:
    clash = named(step=other, cleanup=5, batch_size="auto", __init__=lambda self, words: None)
    with pytest.raises(InvalidDeclaration) as raised:
        experiment(trainable=clash)
    assert [problem.split()[1] for problem in raised.value.problems[:3]] == [
        "Clash.__init__",
        "Clash.step",
        "Clash.cleanup",
    ]
    assert "Clash.batch_size" in raised.value.problems[3]


class Overrides(Sound):
    batch_size = property(lambda self: 16)  # type: ignore[assignment]
    reuse_models = False
    stop = train = config = iteration = logdir = save = reset = 5  # type: ignore[assignment]

    def __init__(self, words: int = 5, **options: Any) -> None:
        super().__init__(**options)

    @staticmethod
    def fit_options(config: dict[str, Any], more: int = 1) -> Any:  # type: ignore[override]
        return None

    def step(self) -> Report:
        return super().step()

    def cleanup(self, *more: Any) -> None:
        super().cleanup()

    @classmethod
    def standalone(cls, config: Any = None, data: Any = None, settings: Any = None) -> Any:
        return super().standalone(config, data, settings)


@pytest.mark.parametrize("trainable", [Sound, Overrides, idle_lab.Idle, idle_lab.Gated, share_lab.Using])
def test_what_is_meant_to_be_overridden_may_be(trainable: type[KerasTrainable]) -> None:
    assert trainable_problems(trainable) == []


@pytest.mark.parametrize("name", ["__getattribute__", "__setattr__", "__getattr__", "__init__", "__del__", "__bool__"])
def test_a_method_of_python_s_that_is_none_is_told(name: str) -> None:
    (problem,) = trainable_problems(named(**{name: 3}))
    assert problem.startswith(f"trainable: The value of `Clash.{name}` is 3, but must be a method, because Python")


@pytest.mark.parametrize("value", [other, 1, "yes", property(lambda self: True)])
def test_a_switch_of_ours_is_true_or_false(value: Any) -> None:
    for name in ("reuse_models", "opens_data_in_workers"):
        (problem,) = trainable_problems(named(**{name: value}))
        assert problem.startswith(f"trainable: The value of `Clash.{name}` is ")
        assert problem.endswith("but must be True or False: the name belongs to KerasTrainable.")
    if value is other:
        (problem,) = trainable_problems(named(batch_size=value))
        assert "but must be a whole number >= 1" in problem


def test_methods_may_be_made_by_functools() -> None:
    cached = functools.cache(lambda self: None)
    partial = functools.partialmethod(lambda self, units, config: None, 8)
    assert trainable_problems(named(load_data=cached, build_model=partial)) == []
    (problem,) = trainable_problems(named(load_data=functools.cache(lambda self, path: None)))
    assert "Clash.load_data takes (self, path), but a run calls load_data()" in problem


@pytest.mark.parametrize("value", [1j, int, None, "layers", [1], frozenset({1})])
def test_abstract_methods_that_are_no_names_are_told(value: object) -> None:
    odd = named()
    odd.__abstractmethods__ = value  # type: ignore[attr-defined]
    (problem,) = trainable_problems(odd)
    assert problem.startswith("trainable: The value of `Clash.__abstractmethods__` is ")


def test_a_class_in_place_of_a_method_is_told() -> None:
    odd = named()
    odd.__init__ = odd  # type: ignore[misc, assignment]
    (problem,) = trainable_problems(odd)
    assert problem.startswith("trainable: The value of `Clash.__init__` is ")
    assert "must be a method" in problem


def test_an_abstract_class_is_told() -> None:
    class Abstract(Sound, ABC):
        @abstractmethod
        def layers(self) -> None: ...

    assert trainable_problems(Abstract) == ["trainable: Abstract is abstract, but must define layers."]


def test_a_class_of_no_module_is_told() -> None:
    (problem,) = trainable_problems(type("Below", (named(__module__=1),), {"__module__": "there"}))
    assert problem.startswith("trainable: The value of `Clash.__module__` is 1, but must be the name of a module")


def test_what_python_itself_sets_is_no_mistake() -> None:
    class Compared(Sound):
        """A class with an __eq__, and so without a hash."""

        __slots__ = ("kept",)
        __match_args__ = ()

        def __eq__(self, other: object) -> bool:
            return self is other

    assert Compared.__hash__ is None
    assert trainable_problems(Compared) == []


def test_a_hypergradient_that_is_none_is_told() -> None:
    (problem,) = trainable_problems(named(hypergradient=True))
    assert problem == (
        "trainable: The value of `Clash.hypergradient` is True, but must be a Hypergradient(…), or None."
    )


def test_a_hypergradient_on_another_backend_is_told_before_keras_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trainable_problems(named(hypergradient=Hypergradient())) == []
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    (problem,) = trainable_problems(named(hypergradient=Hypergradient()))
    assert problem.startswith("trainable: Clash.hypergradient works on TensorFlow only, and KERAS_BACKEND is jax")
