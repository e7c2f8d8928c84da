"""A dictionary of Ray Tune's domains, translated into a SearchSpace with the same values.

    uniform(a, b)         Float(a, b)
    loguniform(a, b)      Float(a, b, log=True)
    quniform(a, b, q)     Float(a, b, step=q)         all values are equally likely; in Ray the ends half as likely
    randint(a, b)         Int(a, b - 1)
    qrandint(a, b, q)     Int(a, b, step=q)           bounds are moved inwards to multiples of q
    lograndint(a, b)      Int(a, b - 1, log=True)     logarithms are rounded to the nearest; in Ray down
    choice, grid_search   Choice(*values)
    any other value       Fixed(value)

As in Ray, q=1 is the same as no q, and then the upper bound of whole numbers is left out.
These are refused, because nothing here means the same: randn, qrandn, qloguniform, qlograndint, sample_from, and
dictionaries with domains in them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from search_spaces.checked import InvalidDeclaration, deferred_checks
from search_spaces.messages import short_repr
from search_spaces.parameters import Choice, Fixed, Float, Int, Parameter
from search_spaces.parameters.grids import value_after
from search_spaces.space import SearchSpace

if TYPE_CHECKING:
    from ray.tune.search.sample import Domain, Integer
    from ray.tune.search.sample import Float as RayFloat


_MAX_DEPTH = 100


class _NoDomain:
    """A class without instances."""


_NO_DOMAINS = SimpleNamespace(**dict.fromkeys(("Categorical", "Integer", "Float", "Function", "Domain"), _NoDomain))


def from_ray(domains: Mapping[str, Any]) -> SearchSpace:
    """Return the space with the values of a dictionary for ``ray.tune.Tuner(param_space=…)``.

    ``search_spaces.adapters.ray_tune`` lists the counterpart of each domain in its docstring.

    Args:
        domains: Ray's domains by name. A value that is not a domain becomes ``Fixed``.

    Raises:
        InvalidDeclaration: A domain has no counterpart, or is invalid; all mistakes are listed.

    Example:
        >>> from search_spaces import from_ray
        >>> from_ray({"optimizer": {"grid_search": ["adam", "sgd"]}, "epochs": 5})
        SearchSpace(optimizer=Choice('adam', 'sgd'), epochs=Fixed(5))
    """
    if not isinstance(domains, Mapping):
        raise InvalidDeclaration([f"The space is {short_repr(domains)}, but must be a dictionary of Ray's domains."])
    parameters: dict[str, Parameter] = {}
    problems: list[str] = []
    for name, domain in domains.items():
        try:
            with deferred_checks():
                parameters[_text(name)] = _parameter(domain)
        except InvalidDeclaration as error:
            problems += [f"{_text(name)}: {problem}" for problem in error.problems]
    with deferred_checks():
        space = SearchSpace(**parameters)
    if problems := problems + (space.problems() if parameters or not problems else []):
        raise InvalidDeclaration(problems)
    return space


def _parameter(domain: Any) -> Parameter:
    sample = _domains()
    match domain:
        case sample.Categorical():
            return Choice(*domain.categories)
        case sample.Integer():
            return _int(domain)
        case sample.Float():
            return _float(domain)
        case sample.Function():
            raise _refusal("sample_from(…)", "declare a parameter with .when(…) or .per(…)")
        case {"grid_search": list() | tuple() as values, **others} if not others:
            return Choice(*values)
    if _has_domain(domain):
        raise _refusal("A dictionary or list with domains in it", "declare each as a parameter of its own")
    return Fixed(domain)


def _domains() -> Any:
    """Return Ray's module of domains. Before somebody imports it, which takes a second, there is no domain."""
    return sys.modules.get("ray.tune.search.sample", _NO_DOMAINS)


def _int(domain: Integer) -> Parameter:
    log, step = _sampling(domain)
    if step in (None, 1):  # the only case in which Ray leaves the upper bound out
        return Int(domain.lower, domain.upper - 1, log=log)
    if log:
        raise _refusal(f"qlograndint(…, q={step})", "use Int(lower, upper, log=True), or with step=2 for powers of two")
    return Int(-(-domain.lower // step) * step, domain.upper // step * step, step=step)


def _text(name: object) -> str:
    return name if isinstance(name, str) else short_repr(name)


def _float(domain: RayFloat) -> Parameter:
    if domain.lower == -math.inf or domain.upper == math.inf:
        raise _refusal("randn(…)", "use Float(mean - 2 * sd, mean + 2 * sd)")
    log, step = _sampling(domain)
    if step is None:
        return Float(domain.lower, domain.upper, log=log)
    if log:
        raise _refusal(
            f"qloguniform(…, q={step})",
            "use Float(lower, upper, log=True), or with step=10 for powers of ten",
        )
    lower, upper = (value_after(round(bound / step), 0, step, log=False) for bound in (domain.lower, domain.upper))
    return Float(lower, upper, step=step)


def _sampling(domain: Domain) -> tuple[bool, Any]:
    """Return whether a domain is drawn in the logarithm, and the q whose multiples are its values, or None."""
    from ray.tune.search.sample import LogUniform, Quantized

    sampler = domain.get_sampler()  # type: ignore[no-untyped-call]
    if isinstance(sampler, Quantized):
        return isinstance(sampler.sampler, LogUniform), sampler.q
    return isinstance(sampler, LogUniform), None


def _has_domain(value: Any, depth: int = 0) -> bool:
    if depth > _MAX_DEPTH:
        return False  # Fixed refuses what is nested as deeply
    if isinstance(value, dict):
        return "grid_search" in value or any(_has_domain(element, depth + 1) for element in value.values())
    if isinstance(value, list | tuple):
        return any(_has_domain(element, depth + 1) for element in value)
    return isinstance(value, _domains().Domain)


def _refusal(domain: str, remedy: str) -> InvalidDeclaration:
    return InvalidDeclaration([f"{domain} has no exact counterpart here: {remedy}."])
