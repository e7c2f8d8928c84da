"""Schedulers, which decide after each epoch whether a trial goes on: one in each file."""

from __future__ import annotations

from tune_jobs.schedulers.asha import ASHA
from tune_jobs.schedulers.base import Schedule, Scheduler
from tune_jobs.schedulers.no_scheduler import NoScheduler

SCHEDULERS: dict[str, type[Scheduler]] = {kind.NAME: kind for kind in (ASHA, NoScheduler)}
"""The schedulers by the name that the command line and a run's folder use."""

__all__ = ["ASHA", "SCHEDULERS", "NoScheduler", "Schedule", "Scheduler"]
