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
