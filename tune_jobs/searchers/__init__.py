"""Searchers, which choose the configurations to try: one in each file."""

from __future__ import annotations

from tune_jobs.searchers.base import WAIT, Search, Searcher, Waiting
from tune_jobs.searchers.bayesian import Bayesian
from tune_jobs.searchers.foresight import Foresight
from tune_jobs.searchers.grid import Grid
from tune_jobs.searchers.hyperopt_tpe import HyperOpt
from tune_jobs.searchers.libraries.optuna import Optuna
from tune_jobs.searchers.libraries.ray_searcher import RaySearcher
from tune_jobs.searchers.random_search import Random
from tune_jobs.searchers.sweep import Sweep

SEARCHERS: dict[str, type[Searcher]] = {
    kind.NAME: kind for kind in (HyperOpt, Foresight, Bayesian, Random, Grid, Sweep, Optuna)
}
"""The searchers by the name that the command line and a run's folder use."""

AUTO = "auto"
"""The word for the searcher of an experiment that names none."""


def automatic_searcher() -> Searcher:
    """Return the searcher of an experiment that names none: the one that the replay favours (docs/search.md)."""
    return Foresight()


__all__ = [
    "AUTO",
    "SEARCHERS",
    "WAIT",
    "Bayesian",
    "Foresight",
    "Grid",
    "HyperOpt",
    "Optuna",
    "Random",
    "RaySearcher",
    "Search",
    "Searcher",
    "Sweep",
    "Waiting",
    "automatic_searcher",
]
