"""How it is run: experiments, searchers, schedulers, runs and their leaderboards."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tune_jobs.engine import resume, run
    from tune_jobs.errors import RequestError, RunFailed
    from tune_jobs.experiment import Experiment, Objective, Resources
    from tune_jobs.results.run import Run, load_run
    from tune_jobs.schedulers import ASHA, NoScheduler
    from tune_jobs.searchers import Grid, HyperOpt, Random

__all__ = [
    "ASHA",
    "Experiment",
    "Grid",
    "HyperOpt",
    "NoScheduler",
    "Objective",
    "Random",
    "RequestError",
    "Resources",
    "Run",
    "RunFailed",
    "load_run",
    "resume",
    "run",
]

_HOMES = {
    "tune_jobs.engine": ("resume", "run"),
    "tune_jobs.errors": ("RequestError", "RunFailed"),
    "tune_jobs.experiment": ("Experiment", "Objective", "Resources"),
    "tune_jobs.results.run": ("Run", "load_run"),
    "tune_jobs.schedulers": ("ASHA", "NoScheduler"),
    "tune_jobs.searchers": ("Grid", "HyperOpt", "Random"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    # The command line imports this package at every start: nothing heavy comes with it.
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
