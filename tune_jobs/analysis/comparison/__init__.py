"""Comparison of runs, and of repeats of runs: their results, their costs, and whether the difference is luck.

Nothing here imports Ray or TensorFlow.
"""

from __future__ import annotations

from tune_jobs.analysis.comparison.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
