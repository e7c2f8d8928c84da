"""What came out of a run's search: its trials on the test set, its best model in a file, its best trained anew."""

from tune_jobs.evaluation.evaluating import Evaluation, evaluate
from tune_jobs.evaluation.exporting import Exported, export
from tune_jobs.evaluation.refitting import Refitted, refit

__all__ = ["Evaluation", "Exported", "Refitted", "evaluate", "export", "refit"]
