"""The ways to search that the replay compares: a searcher and a scheduler each."""

from __future__ import annotations

from dataclasses import dataclass

from tune_jobs.schedulers import ASHA, NoScheduler, PromotionASHA, Scheduler
from tune_jobs.searchers import Bayesian, Foresight, HyperOpt, Random, Searcher


@dataclass(frozen=True)
class Method:
    """A way to search.

    Attributes:
        searcher: The searcher.
        scheduler: The scheduler.
    """

    searcher: Searcher
    scheduler: Scheduler


BASE = "random+asha"
"""The method whose regret after 100 epochs is 1."""

METHODS = {
    BASE: Method(Random(), ASHA()),
    "random+none": Method(Random(), NoScheduler()),
    "hyperopt+asha": Method(HyperOpt(), ASHA()),
    "foresight+asha": Method(Foresight(), ASHA()),
    "hyperopt+promotion": Method(HyperOpt(), PromotionASHA()),
    "foresight+promotion": Method(Foresight(), PromotionASHA()),
    "bayesian+asha": Method(Bayesian(), ASHA()),
}
"""The methods by name."""

QUICK = [BASE, "hyperopt+asha", "foresight+asha", "foresight+promotion"]
"""The methods that `make bench-replay` compares: with 20 seeds, all together take hours."""
