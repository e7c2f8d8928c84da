"""Optuna's samplers with the run's seed, whatever seed they were made with.

A sampler keeps its generators in attributes of the private class ``LazyRandomState``. Where the class is gone, it keeps
the seed that the user gave it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

_MAX_DEPTH = 4


def with_seed(sampler: Any, entropy: list[int]) -> Any:
    """Return a copy of a sampler, all of whose generators are seeded.

    Args:
        sampler: A sampler of Optuna.
        entropy: The numbers that the seeds are made from.
    """
    copied = copy.deepcopy(sampler)
    states = list(random_states(copied))
    seeds = np.random.SeedSequence(entropy).generate_state(len(states) + 1)
    for state, seed in zip(states, seeds, strict=False):
        state.rng.seed(int(seed))
    if isinstance(getattr(copied, "_seed", None), int):  # of QMCSampler, whose scrambling has no generator
        copied._seed = int(seeds[-1])
    return copied


def random_states(sampler: Any) -> Iterator[Any]:
    """Yield the generators of a sampler and of the samplers in it, in the order of its attributes; none twice."""
    try:
        from optuna.samplers._lazy_random_state import LazyRandomState
    except ImportError:
        return
    yield from _found(sampler, LazyRandomState, set(), _MAX_DEPTH)


def _found(value: Any, kind: type[Any], seen: set[int], depth: int) -> Iterator[Any]:
    if id(value) in seen or depth < 0:
        return
    seen.add(id(value))
    if isinstance(value, kind):
        yield value
    elif type(value).__module__.partition(".")[0] == "optuna":
        for attribute in vars(value).values() if hasattr(value, "__dict__") else ():
            yield from _found(attribute, kind, seen, depth - 1)
