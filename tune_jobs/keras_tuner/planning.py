"""The plan of a search: its space, and whether its epochs are Keras's or code of the user's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

from trainables import Data
from tune_jobs.keras_tuner.define_by_run.exploration import Ask
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace, find_space
from tune_jobs.keras_tuner.errors import FatalError, FatalRuntimeError
from tune_jobs.keras_tuner.fit_arguments import FitArguments, bound, fit_arguments, fit_request, option_problems
from tune_jobs.keras_tuner.hypermodel import HyperModel, build
from tune_jobs.keras_tuner.oracle import Oracle, new_entries
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.keras_tuner.trials.probing import Probe, probing
from tune_jobs.keras_tuner.trials.recipe import DataPart

_PARTS = ("x", "y", "sample_weight", "validation_data")
_PROBE_S = 15.0


@dataclass(frozen=True)
class SearchPlan:
    """The plan of a search.

    Attributes:
        found: The space.
        arguments: The arguments of the fit; where each trial has its own, those with the most epochs.
        data: The data; None: the trials are code of the user's own, which has its data.
        has_own_code: True if a ``fit`` or ``run_trial`` of the user's own makes the arguments of each trial.
        args, kwargs: What ``search`` got, where the user's own code has to see it.
    """

    found: FoundSpace
    arguments: FitArguments
    data: Data | None
    has_own_code: bool = False
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None


def space_of_builds(hypermodel: HyperModel, oracle: Oracle) -> FoundSpace:
    """Return the space that a hypermodel's ``build`` asks for.

    Raises:
        FatalRuntimeError: It asks for something that the oracle does not allow.
        Exception: The model cannot be built, whatever it is answered.
    """

    def ask(hp: HyperParameters) -> None:
        hypermodel.declare_hyperparameters(hp)
        build(hypermodel, hp)

    return _found(ask, oracle)


def plan_of_fit(found: FoundSpace, args: Sequence[Any], kwargs: Mapping[str, Any]) -> SearchPlan:
    """Return the plan of a search whose trials are Keras's ``fit``.

    Raises:
        FatalValueError: An argument is wrong; all mistakes are listed.
    """
    request = fit_request(bound(args, kwargs))
    return SearchPlan(found, request.arguments, request.data)


def plan_of_own_code(
    run_trial: Callable[..., Any],
    hypermodel: HyperModel | None,
    oracle: Oracle,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> SearchPlan:
    """Return the plan of a search with a ``fit`` or a ``run_trial`` of the user's own.

    The code is run with one choice after another, and does not train. If all that it does is to call ``model.fit`` once
    with the data of the search, and to return its history, then the epochs are Keras's: they can be stopped, saved and
    continued one by one. Otherwise each trial runs the code as it is.

    Raises:
        FatalRuntimeError: It asks for something that the oracle does not allow.
        Exception: The code fails before it trains, whatever it is answered.
    """
    looks: list[_Look] = []

    def ask(hp: HyperParameters) -> None:
        if hypermodel is not None:
            hypermodel.declare_hyperparameters(hp)
        result = failure = None
        with probing() as probe:
            try:
                result = run_trial(Trial(hp, "0"), *args, **kwargs)
            except FatalError:
                raise
            except Exception as error:
                if not probe.calls:
                    raise
                failure = error
        looks.append(_Look(hp, probe, result is probe.history and failure is None))

    found = _found(ask, oracle, limit_s=_PROBE_S, reserved=())
    plain = _plain_fits(looks, args, kwargs)
    if plain is None:
        return SearchPlan(found, FitArguments(), None, True, args, kwargs)
    if any(look.hp.values.get("batch_size", look.batch_size) != look.batch_size for look in looks):
        found = _found(ask, oracle, limit_s=_PROBE_S)  # it is the size of something else
    request = fit_request(bound(args, {name: value for name, value in kwargs.items() if name != "callbacks"}))
    given = _data_of(args, kwargs)
    marks = {id(given[name]): DataPart(name) for name in _PARTS if given[name] is not None}
    shown_args = tuple(marks.get(id(part), part) for part in args)
    shown_kwargs = {name: marks.get(id(part), part) for name, part in kwargs.items()}
    return SearchPlan(found, plain, request.data, True, shown_args, shown_kwargs)


@dataclass(frozen=True)
class _Look:
    """A look at what the code does with one configuration."""

    hp: HyperParameters
    probe: Probe
    returned_history: bool

    @property
    def batch_size(self) -> Any:
        """The batch size of the fit."""
        args, kwargs = self.probe.calls[0]
        return bound(args, kwargs, "fit")["batch_size"]


def _plain_fits(looks: Sequence[_Look], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> FitArguments | None:
    """Return the arguments with the most epochs if all that the code does is Keras's fit; else None."""
    given = _data_of(args, kwargs)
    if given.get("x") is None:
        return None
    all_arguments = []
    for look in looks:
        if not look.returned_history or look.probe.trains_by_itself or len(look.probe.calls) != 1:
            return None
        try:
            fitted = bound(*look.probe.calls[0], "fit")
        except TypeError:
            return None
        has_same_data = all(fitted[name] is given[name] for name in _PARTS)
        has_same_split = fitted["validation_split"] == given["validation_split"]
        if not (has_same_data and has_same_split) or option_problems(fitted):
            return None
        all_arguments.append(fit_arguments(fitted))
    return max(all_arguments, key=lambda arguments: arguments.epochs, default=None)


def _data_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        given = bound(args, kwargs)
    except TypeError:
        return {}
    return {name: given[name] for name in (*_PARTS, "validation_split")}


@contextmanager
def _own_names() -> Iterator[None]:
    """Let Keras give the names afterwards that it would give now: a metric is known by its name."""
    if "keras" not in sys.modules:
        yield
        return
    from trainables.internals.global_state import remember_names

    put_back = remember_names()
    try:
        yield
    finally:
        put_back()


def _found(ask: Ask, oracle: Oracle, limit_s: float = 30.0, reserved: Sequence[str] = ("batch_size",)) -> FoundSpace:
    # The model is built many times: what it prints would come as often, and Keras would number its names on and on.
    with redirect_stdout(StringIO()), _own_names():
        found = find_space(
            ask,
            oracle.given,
            only_overrides=not oracle.tune_new_entries and oracle.allow_new_entries,
            reserved=reserved,
            limit_s=limit_s,
        )
    new = new_entries(found.parameters.values(), oracle.given)
    if new and not oracle.allow_new_entries:
        given = ", ".join(one.name for one in oracle.given)
        raise FatalRuntimeError(
            f"The model asks for {', '.join(dict.fromkeys(new))}, but `allow_new_entries` is False and "
            f"`hyperparameters` has only {given or 'none'}: add them there, or allow new entries."
        )
    return oracle.space_of(found)
