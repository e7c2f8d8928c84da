"""When to stop: what decides after an epoch whether a trial goes on."""

from tune_jobs.schedulers.asha import ASHA
from tune_jobs.schedulers.base import Schedule, Scheduler
from tune_jobs.schedulers.no_scheduler import NoScheduler

SCHEDULERS: dict[str, type[Scheduler]] = {kind.NAME: kind for kind in (ASHA, NoScheduler)}

__all__ = ["ASHA", "SCHEDULERS", "NoScheduler", "Schedule", "Scheduler"]
