"""The engine: it runs an experiment on Ray, and writes the journal of the run."""

from __future__ import annotations

from tune_jobs.engine.repeats import repeats_problems, resume_repeats, run_repeats
from tune_jobs.engine.run_folder.reporter import Plan, Reporter
from tune_jobs.engine.runner import request_problems, resume, run

__all__ = [
    "Plan",
    "Reporter",
    "repeats_problems",
    "request_problems",
    "resume",
    "resume_repeats",
    "run",
    "run_repeats",
]
