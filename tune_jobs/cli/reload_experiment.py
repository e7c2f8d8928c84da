"""Loading the experiment of an earlier run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tune_jobs.errors import RequestError

if TYPE_CHECKING:
    from tune_jobs.experiment.experiment import Experiment
    from tune_jobs.results.run import Run


def experiment_of(run: Run, call: str, named: str | None = None, **budgets: Any) -> Experiment:
    """Load the experiment of a run as it was when the run began.

    Args:
        run: The run.
        call: The Python call that does the same.
        named: The new file or module of the experiment, or None if it has not moved.
        budgets: Fields to replace. None keeps the value of the run.

    Raises:
        RequestError: The run was started from Python, or its experiment cannot be loaded any more.
    """
    from tune_jobs.experiment.record import restore_experiment
    from tune_jobs.loading.loader import load

    reference = named or run.experiment.get("reference")
    if not isinstance(reference, str):
        raise RequestError(
            f"The run {run.name} was begun from Python, so the command line knows no file to load its experiment "
            f"from: call tune_jobs.{call}."
        )
    return load(reference, partial(restore_experiment, record=run.experiment, **budgets)).experiment
