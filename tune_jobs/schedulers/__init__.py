"""Schedulers, which decide after each epoch whether a trial goes on: one in each file."""

from __future__ import annotations

from tune_jobs.schedulers.asha import ASHA
from tune_jobs.schedulers.base import Pause, Promotion, Schedule, Scheduler
from tune_jobs.schedulers.config_steps import ConfigSteps
from tune_jobs.schedulers.hyperband import Hyperband
from tune_jobs.schedulers.median_stopping import MedianStopping
from tune_jobs.schedulers.no_scheduler import NoScheduler
from tune_jobs.schedulers.population_based import PopulationBased
from tune_jobs.schedulers.promotion_asha import PromotionASHA

SCHEDULERS: dict[str, type[Scheduler]] = {
    kind.NAME: kind
    for kind in (ASHA, PromotionASHA, Hyperband, MedianStopping, PopulationBased, ConfigSteps, NoScheduler)
}
"""The schedulers by the name that the command line and a run's folder use."""

__all__ = [
    "ASHA",
    "SCHEDULERS",
    "ConfigSteps",
    "Hyperband",
    "MedianStopping",
    "NoScheduler",
    "Pause",
    "PopulationBased",
    "Promotion",
    "PromotionASHA",
    "Schedule",
    "Scheduler",
]
