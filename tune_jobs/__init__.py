"""Running of experiments on Ray: searchers, schedulers, runs, and what can be read from a run."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tune_jobs.analysis.comparison import compare
    from tune_jobs.analysis.cv_results import cv_results
    from tune_jobs.analysis.found_schedule import found_schedule
    from tune_jobs.analysis.importance import importance
    from tune_jobs.analysis.pareto import pareto_front
    from tune_jobs.analysis.preference import best_by
    from tune_jobs.analysis.sweep_path import sweep_path
    from tune_jobs.base.objective import Objective
    from tune_jobs.cluster.jobs.job import Job, find_job
    from tune_jobs.cluster.jobs.submit import submit
    from tune_jobs.engine import resume, resume_repeats, run, run_repeats
    from tune_jobs.engine.begin_study import ask_tell
    from tune_jobs.engine.earlier_results.source import WarmStart
    from tune_jobs.engine.on_ray.warm.begin import warm
    from tune_jobs.engine.run_folder.callbacks import Callback
    from tune_jobs.engine.study import Study
    from tune_jobs.engine.suggestion import suggest
    from tune_jobs.errors import JobFailed, RequestError, RunFailed
    from tune_jobs.evaluation.evaluate import evaluate
    from tune_jobs.evaluation.export import export
    from tune_jobs.evaluation.refit import refit
    from tune_jobs.experiment.experiment import Experiment
    from tune_jobs.experiment.resources import Resources
    from tune_jobs.exports.mlflow_runs import MLflow
    from tune_jobs.exports.optuna_study import export_study
    from tune_jobs.exports.tensorboard_events import TensorBoard
    from tune_jobs.exports.wandb_files import WandB
    from tune_jobs.results.find import find_runs, load_run
    from tune_jobs.results.run import Run
    from tune_jobs.schedulers import (
        ASHA,
        ConfigSteps,
        Hyperband,
        MedianStopping,
        NoScheduler,
        PopulationBased,
        PromotionASHA,
    )
    from tune_jobs.searchers import Bayesian, Foresight, Grid, HyperOpt, Optuna, Random, RaySearcher, Sweep

    __version__: str

__all__ = [
    "ASHA",
    "Bayesian",
    "Callback",
    "ConfigSteps",
    "Experiment",
    "Foresight",
    "Grid",
    "HyperOpt",
    "Hyperband",
    "Job",
    "JobFailed",
    "MLflow",
    "MedianStopping",
    "NoScheduler",
    "Objective",
    "Optuna",
    "PopulationBased",
    "PromotionASHA",
    "Random",
    "RaySearcher",
    "RequestError",
    "Resources",
    "Run",
    "RunFailed",
    "Study",
    "Sweep",
    "TensorBoard",
    "WandB",
    "WarmStart",
    "ask_tell",
    "best_by",
    "compare",
    "cv_results",
    "evaluate",
    "export",
    "export_study",
    "find_job",
    "find_runs",
    "found_schedule",
    "importance",
    "load_run",
    "pareto_front",
    "refit",
    "resume",
    "resume_repeats",
    "run",
    "run_repeats",
    "submit",
    "suggest",
    "sweep_path",
    "warm",
]

_HOMES = {
    "tune_jobs.analysis.comparison": ("compare",),
    "tune_jobs.analysis.cv_results": ("cv_results",),
    "tune_jobs.analysis.found_schedule": ("found_schedule",),
    "tune_jobs.analysis.importance": ("importance",),
    "tune_jobs.analysis.pareto": ("pareto_front",),
    "tune_jobs.analysis.preference": ("best_by",),
    "tune_jobs.analysis.sweep_path": ("sweep_path",),
    "tune_jobs.base.objective": ("Objective",),
    "tune_jobs.cluster.jobs.job": ("Job", "find_job"),
    "tune_jobs.cluster.jobs.submit": ("submit",),
    "tune_jobs.engine.begin_study": ("ask_tell",),
    "tune_jobs.engine.earlier_results.source": ("WarmStart",),
    "tune_jobs.engine.on_ray.warm.begin": ("warm",),
    "tune_jobs.engine.study": ("Study",),
    "tune_jobs.engine.suggestion": ("suggest",),
    "tune_jobs.engine": ("resume", "resume_repeats", "run", "run_repeats"),
    "tune_jobs.engine.run_folder.callbacks": ("Callback",),
    "tune_jobs.errors": ("JobFailed", "RequestError", "RunFailed"),
    "tune_jobs.evaluation.evaluate": ("evaluate",),
    "tune_jobs.evaluation.export": ("export",),
    "tune_jobs.evaluation.refit": ("refit",),
    "tune_jobs.experiment.experiment": ("Experiment",),
    "tune_jobs.experiment.resources": ("Resources",),
    "tune_jobs.exports.mlflow_runs": ("MLflow",),
    "tune_jobs.exports.optuna_study": ("export_study",),
    "tune_jobs.exports.tensorboard_events": ("TensorBoard",),
    "tune_jobs.exports.wandb_files": ("WandB",),
    "tune_jobs.results.find": ("find_runs", "load_run"),
    "tune_jobs.results.run": ("Run",),
    "tune_jobs.schedulers": (
        "ASHA",
        "ConfigSteps",
        "Hyperband",
        "MedianStopping",
        "NoScheduler",
        "PopulationBased",
        "PromotionASHA",
    ),
    "tune_jobs.searchers": ("Bayesian", "Foresight", "Grid", "HyperOpt", "Optuna", "Random", "RaySearcher", "Sweep"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


# A log for developers (`tune-jobs --verbose`). Without a handler, Python would print its warnings to stderr.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    # The command line imports this package at every start, so nothing heavy may come with it.
    if name == "__version__":
        from importlib.metadata import version

        return version("tune-jobs")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
