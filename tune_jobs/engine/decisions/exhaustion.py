"""The sentence about a run that ended because nothing was left to try, although its budget would have allowed more."""

from __future__ import annotations

from tune_jobs.base.words import quantity
from tune_jobs.experiment.experiment import Experiment


def exhaustion(experiment: Experiment, trials: int) -> str | None:
    """Return why a run ended before its budget was used up; None if the budget, or the plan of the searcher, ended it.

    Args:
        experiment: The experiment, whose run ended because no configuration was left.
        trials: The number of trials of the run.
    """
    budgets = {
        "trials": experiment.trials,
        "time_budget_s": experiment.time_budget_s,
        "total_epochs": experiment.total_epochs,
    }
    given = {name: f"{value:,}" for name, value in budgets.items() if value is not None}
    if not given or (experiment.trials is not None and trials >= experiment.trials):
        return None
    if trials == experiment.space.size:
        told = f"All {quantity(trials, 'configuration')} of the space {'was' if trials == 1 else 'were'} tried"
    else:
        searcher = type(experiment.searcher).__name__
        told = f"{searcher} had nothing more to propose after {quantity(trials, 'trial')}"
    budget = ", ".join(f"{name} {value}" for name, value in given.items())
    return f"{told}: the run ended before its budget was used ({budget})."
