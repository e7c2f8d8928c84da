"""The checks of a trainable's class: what it lacks, and names of ours that it takes by chance."""

from __future__ import annotations

import inspect
import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from search_spaces.messages import short_repr
from tune_jobs.base.rules import count_problem

# The methods that a run calls, and the arguments that it gives them.
_OF_THE_USER: dict[str, tuple[str, ...]] = {
    "build_model": ("config",),
    "load_data": (),
    "prepare": ("data", "config"),
    "fit_options": ("config",),
}
_CALLED_BY_PYTHON = ("__getattr__", "__call__", "__bool__", "__len__", "__del__", "__get__", "__set_name__")
_ALSO_TAKEN: dict[str, tuple[str, ...]] = {"build_model": ("config", "data")}  # where the method asks for them
_OF_THE_WORKER: dict[str, tuple[str, ...]] = {
    "setup": ("config", "data", "settings"),
    "reset_config": ("new_config",),
    "step": (),
    "cleanup": (),
    "standalone": ("config", "data", "settings"),
    "_begin_training": ("trial",),
}


def trainable_problems(trainable: object) -> list[str]:
    """Return all that is wrong with the trainable of an experiment, a sentence each.

    Names of Ray's Trainable are free: a run never gives Ray the user's class, see ``trainables.worker``. A method that
    a run calls may be overridden. If it cannot be called as a run calls it, its name was taken by chance.

    Args:
        trainable: What the experiment has as its trainable.
    """
    from trainables import KerasTrainable

    if not (isinstance(trainable, type) and issubclass(trainable, KerasTrainable)):
        hint = "the class itself, not an instance" if isinstance(trainable, KerasTrainable) else "a class"
        return [
            f"The value of `trainable` is {short_repr(trainable)}, but must be a subclass of KerasTrainable: {hint}."
        ]
    if problems := _wrong_special_names(trainable):
        return _named(problems)
    missing = [
        f"trainable: {trainable.__name__} does not define {name}(), but must."
        for name in ("build_model", "load_data")
        if getattr(trainable, name) is getattr(KerasTrainable, name)
    ]
    if undefined := sorted(getattr(trainable, "__abstractmethods__", ())):
        missing.append(f"trainable: {trainable.__name__} is abstract, but must define {', '.join(undefined)}.")
    return [*missing, *_named(_wrong_methods(trainable)), *_named(_wrong_values(trainable))]


def _named(problems: list[str]) -> list[str]:
    return [f"trainable: {problem}" for problem in problems]


def _wrong_special_names(trainable: type[Any]) -> list[str]:
    """Return what is wrong with names such as ``__module__``, by which Python finds a class and uses its instances."""
    from trainables import KerasTrainable

    problems = []
    for kind in trainable.__mro__[: trainable.__mro__.index(KerasTrainable)]:
        fields = dict(vars(kind))
        if not isinstance(fields.get("__module__", ""), str):
            problems.append(
                f"The value of `{kind.__name__}.__module__` is {short_repr(fields['__module__'])}, but must be the "
                "name of a module: leave __module__ and the module's __name__ as Python sets them."
            )
        abstract = fields.get("__abstractmethods__", frozenset())
        if not (isinstance(abstract, set | frozenset) and all(isinstance(name, str) for name in abstract)):
            problems.append(
                f"The value of `{kind.__name__}.__abstractmethods__` is {short_repr(abstract)}, but must be the names "
                "of methods: leave it as Python sets it."
            )
        problems += [
            f"The value of `{kind.__name__}.{name}` is {short_repr(value)}, but must be a method, because Python "
            "itself calls it: take another name."
            for name, value in fields.items()
            if _is_called_by_python(name) and not _can_be_a_method(value)
            if not (name == "__hash__" and value is None)  # so says Python itself where a class has an __eq__
        ]
    return problems


def _can_be_a_method(value: object) -> bool:
    return not isinstance(value, type) and (callable(value) or hasattr(type(value), "__get__"))


def _is_called_by_python(name: str) -> bool:
    return name in _CALLED_BY_PYTHON or (str(name).startswith("__") and callable(getattr(object, name, None)))


def _wrong_methods(trainable: type[Any]) -> list[str]:
    from trainables import KerasTrainable

    problems, name = [], trainable.__name__
    if not _can_be_called(trainable.__init__, (None,)):
        problems.append(
            f"{name}.__init__ needs arguments, but a run makes instances without any: give them defaults, or make them "
            "attributes of the class."
        )
    for method, arguments in (_OF_THE_USER | _OF_THE_WORKER).items():
        ways = [arguments, *([_ALSO_TAKEN[method]] if method in _ALSO_TAKEN else [])]
        if getattr(trainable, method) is getattr(KerasTrainable, method) or any(
            _fits(trainable, method, way) for way in ways
        ):
            continue
        call = " or ".join(f"{method}({', '.join(way)})" for way in ways)
        remedy = (
            f"define it as def {method}({', '.join(('self', *arguments))})"
            if method in _OF_THE_USER
            else f"the name belongs to KerasTrainable, so take another one, such as own_{method}"
        )
        problems.append(f"{name}.{method} {_what(trainable, method)}, but a run calls {call}: {remedy}.")
    return problems


def _fits(trainable: type[Any], method: str, arguments: tuple[str, ...]) -> bool:
    static = inspect.getattr_static(trainable, method)
    if isinstance(static, property):
        return False
    # What binds itself, such as a function with functools.cache, takes the instance first.
    is_bound = isinstance(static, staticmethod | classmethod) or not hasattr(type(static), "__get__")
    if not is_bound and method == "standalone":
        return False  # it is called on the class
    return _can_be_called(getattr(trainable, method), (() if is_bound else (None,)) + arguments)


def _can_be_called(method: Any, arguments: tuple[Any, ...]) -> bool:
    if not callable(method):
        return False
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        return True  # Python cannot tell
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _what(trainable: type[Any], method: str) -> str:
    value = inspect.getattr_static(trainable, method)
    if isinstance(value, property):
        return "is a property"
    if not callable(getattr(trainable, method)):
        return f"is of type {type(value).__name__}"
    return f"takes {inspect.signature(getattr(trainable, method))}"


def _wrong_values(trainable: type[Any]) -> list[str]:
    value = inspect.getattr_static(trainable, "batch_size")
    is_plain = not hasattr(type(value), "__get__") or callable(value)  # a property has its value later
    problems = [count_problem(f"{trainable.__name__}.batch_size", value) if is_plain else None]
    for name in ("reuse_models", "opens_data_in_workers"):
        value = inspect.getattr_static(trainable, name)
        if not isinstance(value, bool):
            problems.append(
                f"The value of `{trainable.__name__}.{name}` is {short_repr(value)}, but must be True or False: the "
                "name belongs to KerasTrainable."
            )
    cpus = inspect.getattr_static(trainable, "data_cpus")
    is_amount = isinstance(cpus, int | float) and not isinstance(cpus, bool) and 0 <= cpus < math.inf
    if cpus is not None and not is_amount:
        problems.append(
            f"The value of `{trainable.__name__}.data_cpus` is {short_repr(cpus)}, but must be a number of CPUs, or "
            "None."
        )
    return [*(problem for problem in problems if problem), *_hypergradient_problems(trainable)]


def _hypergradient_problems(trainable: type[Any]) -> list[str]:
    from trainables import Hypergradient

    declared = inspect.getattr_static(trainable, "hypergradient")
    if declared is None:
        return []
    if not isinstance(declared, Hypergradient):
        return [
            f"The value of `{trainable.__name__}.hypergradient` is {short_repr(declared)}, but must be a "
            "Hypergradient(…), or None."
        ]
    backend = keras_backend()
    if backend == "tensorflow":
        return []
    return [
        f"{trainable.__name__}.hypergradient works on TensorFlow only, and KERAS_BACKEND is {backend}: unset it, or "
        "set hypergradient = None."
    ]


def keras_backend() -> str:
    """Return the name of the backend on which Keras runs here, without importing Keras."""
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    folder = Path(os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser())
    with suppress(OSError, ValueError, AttributeError):
        return str(json.loads((folder / "keras.json").read_text(encoding="utf-8")).get("backend") or "tensorflow")
    return "tensorflow"
