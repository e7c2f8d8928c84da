"""Runs, and repeats of them, side by side: what each found, what it took, what was luck. No Ray, no TensorFlow."""

from tune_jobs.analysis.comparison.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
