"""The random streams of a run, all in one place: two parts with the same stream would draw correlated numbers."""

from __future__ import annotations

from enum import IntEnum


class RandomStream(IntEnum):
    """The parts of a run that draw random numbers.

    All parts share the run's seed and the number of a trial. The stream is the third number that a generator is
    made from, so that no two parts draw the same numbers: ``np.random.default_rng([seed, trial, stream])``.

    The numbers never change: a run that is resumed has to draw what it drew before.
    """

    RANDOM_SEARCH = 1
    HYPEROPT = 2
    ASHA = 3
    TRAINING = 4
    BAYESIAN = 5
    OPTUNA = 6
    RAY_SEARCHER = 7
    FORESIGHT = 10
    POPULATION = 11
    PRIOR = 12
    SCALARISED = 13
    HYPERGRADIENT = 14


def trial_seed(seed: int, trial: int, execution: int = 0) -> int:
    """Return the seed of weights, dropout and order of examples.

    Args:
        seed: The run's seed.
        trial: The number of the trial.
        execution: The number of the execution; the first has the seed of a trial that has no other.
    """
    import numpy as np

    others = [execution] if execution else []
    return int(np.random.SeedSequence([seed, trial, RandomStream.TRAINING, *others]).generate_state(1)[0])
