"""An experiment on Ray: runs it, and writes its journal."""

from tune_jobs.engine.reporter import Plan, Reporter
from tune_jobs.engine.runner import request_problems, run

__all__ = ["Plan", "Reporter", "request_problems", "run"]
