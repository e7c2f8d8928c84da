"""The search space of some code, found by running it, and the way back from a configuration to its ``hp``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from search_spaces import Choice, Fixed, Parameter, SearchSpace
from tune_jobs.keras_tuner.define_by_run.conditions import Inference, Variant
from tune_jobs.keras_tuner.define_by_run.exploration import Ask, Exploration, Explorer
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.define_by_run.parameter import identifier
from tune_jobs.keras_tuner.define_by_run.parameters import HyperParameter, Parent, from_config, plain
from tune_jobs.results.met_parameters import fitting

NOTHING_TO_SEARCH = "default_configuration"
"""The name of the only parameter of a space whose code asks for no hyperparameter."""

_DRAWS, _FEWEST_DRAWS, _DRAWS_S = 24, 4, 5.0
_CORRECTIONS = 20


@dataclass(frozen=True)
class FoundSpace:
    """The search space of some code.

    Attributes:
        space: The space.
        parameters: The hyperparameter of each parameter of the space. Its conditions are those of the space.
        uncertain: The names of hyperparameters whose conditions could not be told: some configurations have a value
            for them that the code does not ask for.
    """

    space: SearchSpace
    parameters: Mapping[str, HyperParameter]
    uncertain: tuple[str, ...] = ()

    def hyperparameters(self, config: Mapping[str, Any]) -> HyperParameters:
        """Return the ``hp`` with the values of a configuration.

        Args:
            config: A configuration of the space. It may have values that the space does not know: what a fit asks for
                is not known before `search` tells its arguments, and other code asks when it has trained for a while.
        """
        known = {name: self.parameters[name] for name in config if name in self.parameters}
        values = {one.name: one.original(config[name]) for name, one in known.items()}
        late = {name: value for name, value in config.items() if name not in known and name != NOTHING_TO_SEARCH}
        return HyperParameters.of({**values, **late}, known.values(), late)

    def grown(self, met: Mapping[str, Any]) -> FoundSpace:
        """Return the space with the hyperparameters that trials have met.

        Args:
            met: What the run's history tells of them: see ``trainables.report.MetParameter``.
        """
        new = {name: one for name, one in met.items() if name not in self.parameters and one.get("declared")}
        if not new:
            return self
        parameters, _ = fitting(self.space.parameters, new)
        declared = {name: from_config(one["declared"]) for name, one in new.items()}
        return FoundSpace(SearchSpace(**parameters), {**self.parameters, **declared}, self.uncertain)

    def with_choices(self, values: Mapping[str, Iterable[float]]) -> FoundSpace:
        """Return the space in which some parameters have listed values.

        Args:
            values: The values by the parameter's name.
        """
        parameters: dict[str, Parameter] = {}
        for name, parameter in self.space.parameters.items():
            parameters[name] = Choice(*values[name]) if name in values else parameter
            if name in values:
                for condition in parameter.conditions:
                    parameters[name] = parameters[name].when(**{condition.parent: condition.expected})
        return FoundSpace(SearchSpace(**parameters), self.parameters, self.uncertain)

    def config(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the configuration with the given values by the hyperparameters' own names; None if there is none.

        Args:
            values: Values by name. Those that are not needed are left out.
        """
        missing = object()

        def choose(slot: Any) -> Any:
            declared = self.parameters.get(slot.name)
            value = plain(values.get(declared.name, missing)) if declared else slot.parameter.grid()[0]
            if value is missing or slot.parameter.problem_with(value) is not None:
                raise LookupError(slot.name)
            return value

        try:
            return self.space.assemble(choose)
        except LookupError:
            return None


def find_space(
    ask: Ask,
    overrides: Iterable[HyperParameter] = (),
    *,
    only_overrides: bool = False,
    reserved: Iterable[str] = (),
    limit_s: float = 30.0,
) -> FoundSpace:
    """Return the search space of some code, found by running it with one choice after another.

    Args:
        ask: The code: it asks an ``hp`` for its values.
        overrides: Hyperparameters that stand in for those of the same names that the code declares. One that the code
            never declares is always active.
        only_overrides: Whether all other hyperparameters keep their defaults, and are not part of the space.
        reserved: Names that no parameter of the space may have.
        limit_s: The seconds after which no more choices are tried.

    Raises:
        ValueError: One name was declared with two ranges.
        Exception: The code fails whatever it is answered.
    """
    given = list(overrides)
    explorer = Explorer(ask, given, limit_s, only_overrides=only_overrides)
    inference = Inference(explorer)
    inference.begin()
    found = _assembled(inference, given, reserved)
    generator = np.random.default_rng(0)
    corrections = draws = 0
    begun_s = time.monotonic()
    while draws < _DRAWS and explorer.is_complete and corrections < _CORRECTIONS:
        config = found.space.sample(generator)
        run = explorer.run(
            {one.key: one.original(config[name]) for name, one in found.parameters.items() if name in config}
        )
        draws += 1
        if draws >= _FEWEST_DRAWS and time.monotonic() - begun_s > _DRAWS_S:
            break  # each build of this model takes long
        if run is not None and inference.correct(run):
            corrections, draws = corrections + 1, 0
            found = _assembled(inference, given, reserved)
    return found


def asked_by(ask: Ask, found: FoundSpace, config: Mapping[str, Any]) -> Exploration:
    """Return what some code asks for with a configuration; for tests of the space.

    Args:
        ask: The code.
        found: Its space.
        config: A configuration of the space.
    """
    values = {one.key: one.original(config[name]) for name, one in found.parameters.items() if name in config}
    run = Explorer(ask).run(values)
    if run is None:
        raise RuntimeError("There was no time for a single run.")
    return run


def _assembled(inference: Inference, given: Iterable[HyperParameter], reserved: Iterable[str]) -> FoundSpace:
    variants = inference.variants
    met = {variant.declared.name for variant in variants}
    never_asked = [Variant(one.scoped(())) for one in given if one.name not in met]
    names = _names([*never_asked, *variants], set(reserved))
    parameters: dict[str, Parameter] = {}
    declared: dict[str, HyperParameter] = {}
    for variant, name in names.items():
        accepted = {names[parent]: list(values.values()) for parent, values in variant.conditions.items()}
        conditions = {parent: [plain(value) for value in values] for parent, values in accepted.items()}
        parameter = variant.declared.parameter
        parameters[name] = parameter.when(**conditions) if conditions else parameter
        parents = [
            Parent(parent.declared.name, tuple(values.values())) for parent, values in variant.conditions.items()
        ]
        declared[name] = variant.declared.scoped(parents)
    if not parameters:
        parameters[NOTHING_TO_SEARCH] = Fixed(True)
    return FoundSpace(SearchSpace(**parameters), declared, tuple(sorted(inference.uncertain)))


def _names(variants: Iterable[Variant], taken: set[str]) -> dict[Variant, str]:
    """Return a name for each variant: that of its hyperparameter, if it is an identifier and free."""
    names: dict[Variant, str] = {}
    for variant in variants:
        base = identifier(variant.declared.name)
        name, number = base, 1
        if name in taken and variant.conditions:
            parent, accepted = list(variant.conditions.items())[-1]
            values = "_or_".join(str(value) for value in list(accepted.values())[:3])
            name = identifier(f"{base}_if_{parent.declared.name}_is_{values}")
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names[variant] = name
    return names
