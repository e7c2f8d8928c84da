"""A space as the ``param_space`` of Ray's ``Tuner``."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray import tune
from ray.tune.search.sample import Domain

from search_spaces import Fixed, Float, Int, SearchSpace
from search_spaces.parameters import Parameter
from trainables.settings import DRAW_KEY, INACTIVE


def space_for_ray(space: SearchSpace) -> dict[str, Any]:
    """Return the domains of a space: see ``SearchSpace.for_ray``.

    Args:
        space: A valid space.
    """
    parameters = space.parameters
    if not any(parameter.conditions or parameter.counts for parameter in parameters.values()):
        return {name: _domain(parameter) for name, parameter in parameters.items()}
    # Ray draws each name by itself. A number that is drawn first lets all names tell of one configuration.
    drawn = {name: _DrawnValue(space, name) for name in parameters}
    return {DRAW_KEY: tune.randint(0, 2**31 - 1), **drawn}


class _DrawnValue(Domain):
    """The value of a name in the configuration that a drawn number stands for.

    It is a domain and no function: Ray leaves a searcher's value in place of a domain, and calls a function all the
    same.
    """

    def __init__(self, space: SearchSpace, name: str) -> None:
        self._space, self._name = space, name

    def sample(self, config: Any = None, size: int = 1, random_state: Any = None) -> Any:  # noqa: ARG002 - Ray's signature
        draw = getattr(config.config, DRAW_KEY)  # not by index: Ray notices attributes that are not drawn yet
        return self._space.sample(np.random.default_rng(draw)).get(self._name, INACTIVE)


def _domain(parameter: Parameter) -> Any:
    if isinstance(parameter, Fixed):
        return parameter.values[0]
    if isinstance(parameter, Int) and parameter.step is None:
        return (tune.lograndint if parameter.log else tune.randint)(parameter.lower, parameter.upper + 1)
    if isinstance(parameter, Float) and parameter.step is None:
        return (tune.loguniform if parameter.log else tune.uniform)(parameter.lower, parameter.upper)
    return tune.choice(list(parameter.grid() or ()))
