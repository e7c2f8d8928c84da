"""HyperOpt's tree-structured Parzen estimator as a program that is built once and run for every proposal.

``hyperopt.tpe.suggest`` builds the same graph of expressions anew for every proposal, copies all trials several times,
and adds up the quantised densities one observation at a time: 0.15 s a proposal after 2,000 trials. Here the graph is
built once, the order in which HyperOpt evaluates it is found once, and the observations come as arrays. The random
numbers are drawn, and the densities added, in HyperOpt's order: the proposals are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

_MOST_GOOD = 25  # as hyperopt.tpe.ap_split_trials: gamma_cap


class _Step(NamedTuple):
    """One expression: what computes it, and where its arguments and its value stand."""

    compute: Callable[..., Any]
    arguments: tuple[int, ...]
    named: tuple[tuple[str, int], ...]
    place: int


class Posterior:
    """Proposes numbers by label.

    Args:
        distributions: HyperOpt's expression of each label, without any choice between expressions.
        prior_weight: Weight of the declared distribution beside one observation.
        candidates: Draws from the good ones' density, of which the best is proposed.
    """

    def __init__(self, distributions: Mapping[str, Any], prior_weight: float, candidates: int) -> None:
        from hyperopt import tpe
        from hyperopt.base import Domain
        from hyperopt.pyll import Literal, as_apply, dfs

        self._candidates = candidates
        domain = Domain(never_called, dict(distributions))
        _, _, (_, proposed) = tpe.build_posterior_wrapper(domain, prior_weight, gamma=0.0)
        top = as_apply(proposed)
        splits = {_label(node): node for node in dfs(top) if node.name == "ap_split_trials"}
        self._labels = list(splits)
        given = [domain.s_new_ids, domain.s_rng, *splits.values()]
        order = [*given, *_evaluated_after(given, top)]
        places = {node: place for place, node in enumerate(order)}
        self._constants: list[Any] = [node.obj if isinstance(node, Literal) else None for node in order]
        self._steps = [_step(node, places) for node in order[len(given) :] if not isinstance(node, Literal)]

    def propose(self, observed: Mapping[str, tuple[np.ndarray, np.ndarray]], seed: int) -> dict[str, float]:
        """The number of each label.

        Args:
            observed: By label, what the good trials and the others tried, each from the best to the worst.
            seed: Seed of the draws.
        """
        values: list[Any] = list(self._constants)
        splits = [observed[label] for label in self._labels]
        given = [range(self._candidates), np.random.default_rng(seed), *splits]
        values[: len(given)] = given
        for compute, arguments, named, place in self._steps:
            values[place] = compute(*[values[each] for each in arguments], **{name: values[at] for name, at in named})
        return {label: candidates[0] for label, candidates in values[-1].items()}


def good_ones(gamma: float, trials: int) -> int:
    """How many of the trials count as good."""
    return min(int(np.ceil(gamma * np.sqrt(trials))), _MOST_GOOD)


def never_called(config: Any) -> float:
    """What HyperOpt believes that it minimises: only its proposals are used."""
    raise NotImplementedError(config)


def _label(split: Any) -> str:
    """Whose observations an expression ``ap_split_trials(observed[label], …)`` splits."""
    return str(split.pos_args[0].pos_args[1].obj)


def _evaluated_after(given: Sequence[Any], top: Any) -> list[Any]:
    """The expressions that lead to one, in the order in which ``hyperopt.pyll.rec_eval`` evaluates them."""
    done = set(given)
    order, todo = [], [top]
    while todo:
        node = todo.pop()
        if node in done:
            continue
        missing = [each for each in node.inputs() if each not in done]
        if missing:
            todo += [node, *missing]
        else:
            done.add(node)
            order.append(node)
    return order


def _step(node: Any, places: Mapping[Any, int]) -> _Step:
    from hyperopt.pyll import scope

    faster = {
        "GMM1_lpdf": _gmm1_lpdf,
        "LGMM1_lpdf": _lgmm1_lpdf,
        "randint_via_categorical": scope._impls["categorical"],  # else an expression, to be evaluated by itself
    }
    return _Step(
        faster.get(node.name) or scope._impls[node.name],
        tuple(places[each] for each in node.pos_args),
        tuple((name, places[each]) for name, each in node.named_args),
        places[node],
    )


def _gmm1_lpdf(
    samples: Any, weights: Any, mus: Any, sigmas: Any, low: Any = None, high: Any = None, q: Any = None
) -> Any:
    """As ``hyperopt.tpe.GMM1_lpdf``, all components of a quantised density at once."""
    from hyperopt import tpe

    if q is None or not np.size(samples) or low is None or high is None:
        return tpe.GMM1_lpdf(samples, weights, mus, sigmas, low, high, q)
    values, places = np.unique(samples, return_inverse=True)
    upper, lower = np.minimum(values + q / 2, high), np.maximum(values - q / 2, low)
    inside = _between(tpe.normal_cdf, lower, upper, weights, mus, sigmas)
    return (np.log(inside) - np.log(_accepted(weights, mus, sigmas, low, high)))[places].reshape(np.shape(samples))


def _lgmm1_lpdf(
    samples: Any, weights: Any, mus: Any, sigmas: Any, low: Any = None, high: Any = None, q: Any = None
) -> Any:
    """As ``hyperopt.tpe.LGMM1_lpdf``, all components of a quantised density at once."""
    from hyperopt import tpe

    if q is None or not np.size(samples) or low is None or high is None:
        return tpe.LGMM1_lpdf(samples, weights, mus, sigmas, low, high, q)
    values, places = np.unique(samples, return_inverse=True)
    upper = np.minimum(values + q / 2, np.exp(high))
    lower = np.maximum(0, np.maximum(values - q / 2, np.exp(low)))
    inside = _between(tpe.lognormal_cdf, lower, upper, weights, mus, sigmas)
    return (np.log(inside) - np.log(_accepted(weights, mus, sigmas, low, high)))[places].reshape(np.shape(samples))


def _between(cdf: Any, lower: Any, upper: Any, weights: Any, mus: Any, sigmas: Any) -> Any:
    """The part of a mixture within each interval, its components added one after another, as HyperOpt does."""
    mus, sigmas = mus[:, None], sigmas[:, None]
    return np.cumsum(weights[:, None] * cdf(upper, mus, sigmas) - weights[:, None] * cdf(lower, mus, sigmas), axis=0)[
        -1
    ]


def _accepted(weights: Any, mus: Any, sigmas: Any, low: float, high: float) -> Any:
    """The part of a mixture that lies between its bounds."""
    from hyperopt import tpe

    return np.sum(weights * (tpe.normal_cdf(high, mus, sigmas) - tpe.normal_cdf(low, mus, sigmas)))
