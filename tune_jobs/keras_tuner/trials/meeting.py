"""The hyperparameters that a trial's own code asks for beside its configuration: they join the space when they are met.

The space is found before the first trial. What the code asks for later, after it has trained for a while or deep in a
branch that was not tried, has its default in the trial that meets it, and is searched from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import search_spaces
from search_spaces import Parameter
from search_spaces.parameters import parameter_to_json
from trainables import KerasTrainable
from trainables.report import Met, MetParameter, Report
from trainables.trial import Trial as WorkerTrial
from trainables.trial import TrialTraining
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.parameter import late_names
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter, plain, ten_values, to_config
from tune_jobs.keras_tuner.define_by_run.space import NOTHING_TO_SEARCH, FoundSpace

ParameterOf = Callable[[HyperParameter], Parameter]
"""A function that returns the parameter of a space for a hyperparameter that was met."""


def as_declared(declared: HyperParameter) -> Parameter:
    """Return the parameter with the values of a hyperparameter."""
    return declared.parameter


def with_listed_values(declared: HyperParameter) -> Parameter:
    """Return the parameter with the values of a hyperparameter; ten of a range without steps, as a grid needs."""
    if declared.parameter.size is not None:
        return declared.parameter
    values: Any = declared
    return search_spaces.Choice(*ten_values(values.min_value, values.max_value, values.sampling))


class Meeting:
    """The watch over one trial, which notes what the trial's code asks for.

    Args:
        found: The space that was found before the first trial.
        config: The configuration that the trial was given.
        parameter_of: Makes the parameters that join the space.
        asks_at_once: True if all is asked for before the first report; False: until the trial's end.
    """

    def __init__(
        self, found: FoundSpace, config: Mapping[str, Any], parameter_of: ParameterOf, *, asks_at_once: bool
    ) -> None:
        self._found = found
        self._given = dict(config)
        self._told = self._given
        self._parameter_of = parameter_of
        self._asks_at_once = asks_at_once
        self._hps: list[HyperParameters] = []

    def hyperparameters(self, config: Mapping[str, Any]) -> HyperParameters:
        """Return the ``hp`` of a configuration, and watch what is asked of it."""
        hp = self._found.hyperparameters(config)
        self._hps.append(hp)
        return hp

    def met(self, report: Report) -> Met | None:
        """Return the configuration that the trial has in truth, if it is another one than the driver knows.

        Args:
            report: The report with which it is told.
        """
        known = self._found.parameters
        names = {known[name].name: name for name in self._given if name in known}
        late = {name for name in self._given if name not in known and name != NOTHING_TO_SEARCH}
        config, parameters = dict(self._given), {}
        used: set[str] = set()
        for one, value in self._asked():
            if one.name in names:
                continue
            given = next((name for name in late_names(one.name) if name in late), None)
            name = given or next((name for name in late_names(one.name) if name not in names.values()), one.name)
            names[one.name] = name
            used.add(name)
            config.setdefault(name, plain(value))
            if given is None and name not in known:
                parameters[name] = self._parameter(one, value, names)
        if self._asks_at_once or report.get("done"):
            config = {name: value for name, value in config.items() if name not in late or name in used}
        if config == self._told:
            return None
        self._told = config
        return Met(config=config, parameters=parameters)

    def _asked(self) -> list[tuple[HyperParameter, Any]]:
        asked = {one.name: (one, hp.values[one.name]) for hp in self._hps for one in hp.asked.values()}
        return list(asked.values())

    def _parameter(self, declared: HyperParameter, value: Any, names: Mapping[str, str]) -> MetParameter:
        parameter = self._parameter_of(declared)
        for condition in declared.conditions:
            if condition.name in names:
                parameter = parameter.when(**{names[condition.name]: [plain(one) for one in condition.values]})
        return MetParameter(
            parameter=parameter_to_json(parameter), value=plain(value), declared=plain(to_config(declared))
        )


class MeetsParameters(KerasTrainable):
    """The base of trainables whose code asks an ``hp`` for its values.

    Attributes:
        MEETS_PARAMETERS: True: the space of a run may grow.
        asks_at_once: Whether the code asks for all of them before the first report.
    """

    MEETS_PARAMETERS: ClassVar[bool] = True
    asks_at_once: ClassVar[bool] = True

    def _begin_training(self, trial: WorkerTrial) -> TrialTraining:
        self._watch(trial)
        return super()._begin_training(trial)

    def _watch(self, trial: WorkerTrial) -> None:
        """Watch what the code of a trial asks for."""
        self._meeting: Meeting | None = None
        if (parameter_of := self._parameter_of()) is not None:
            self._meeting = Meeting(self._found, trial.parameters, parameter_of, asks_at_once=self.asks_at_once)
            trial.find_met = self._meeting.met

    def _hp(self, config: Mapping[str, Any]) -> HyperParameters:
        """Return the ``hp`` of a configuration."""
        meeting: Meeting | None = getattr(self, "_meeting", None)
        return self._found.hyperparameters(config) if meeting is None else meeting.hyperparameters(config)

    @property
    def _found(self) -> FoundSpace:
        """The space that was found before the first trial."""
        raise NotImplementedError

    def _parameter_of(self) -> ParameterOf | None:
        """Return what makes the parameters that join the space; None if none do."""
        return as_declared

    @classmethod
    def user_code(cls) -> tuple[Any, ...]:
        """Return the functions and classes of the user's own that decide about a trial: a run remembers their code."""
        raise NotImplementedError
