"""The best trial by a stated preference: the best in one objective among those that keep bounds on the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from search_spaces.messages import short_repr
from trainables.constraints.constraint import Constraint, InvalidConstraint
from tune_jobs.analysis.pareto import column_problems
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    import pandas as pd

_SIGNS = "<>="


def best_by(run: Run, *preference: str) -> pd.DataFrame:
    """Return a run's leaderboard by a preference, the best first: the best of one objective that keeps bounds.

    This is the method of bounds (Haimes, Lasdon and Wismer 1971, "epsilon-constraint"): with all bounds, it finds every
    trial of the Pareto front, and no scale has to be weighed against another. The values are those of the leaderboard:
    metrics at the trial's best epoch, and columns such as ``seconds``, or a parameter that is a number.

    Args:
        run: The run.
        preference: Bounds such as ``"parameters <= 1e5"``, and at most one objective of the run by its metric's name:
            the one to optimise. If none is named, it is the first.

    Returns:
        The rows of the trials that keep the run's constraints and all bounds, with their ranks by the preference.

    Raises:
        RequestError: Something is wrong with the preference, or no trial keeps it.

    Example:
        >>> import tune_jobs
        >>> from search_spaces import Choice, SearchSpace
        >>> from tune_jobs import Grid, Objective
        >>> space = SearchSpace(units=Choice(8, 16, 32))
        >>> objectives = [Objective("accuracy", "max"), Objective("parameters", "min")]
        >>> with tune_jobs.ask_tell(space, objectives=objectives, name="trade", searcher=Grid()) as study:
        ...     for trial in study:
        ...         units = trial.config["units"]
        ...         accuracy = {8: 0.7, 16: 0.9, 32: 0.95}[units]
        ...         goes_on = study.observe(trial, {"accuracy": accuracy, "parameters": 65 * units})
        >>> tune_jobs.best_by(study.run, "parameters <= 1500")["units"].tolist()
        [16, 8]
        >>> tune_jobs.best_by(study.run, "parameters", "accuracy >= 0.8")["units"].tolist()
        [16, 32]
    """
    import pandas as pd

    frame = run.leaderboard()
    bounds, objective = _parsed(run, preference)
    named = [objective.metric, *(name for bound in bounds for name in bound.names)]
    if problems := [problem for name in dict.fromkeys(named) for problem in column_problems(frame, name)]:
        raise RequestError(*problems)
    rows = frame[frame[objective.metric].notna()]
    if "feasible" in rows and run.objective.constraints:
        rows = rows[rows["feasible"].fillna(False).astype(bool)]
    if rows.empty:
        raise RequestError(
            f"The run {run.name} has no trial with a value of {objective.metric} that keeps its constraints."
        )
    values = [_values(row) for row in rows[list(dict.fromkeys(named))].to_dict("records")]
    violations = [sum(bound.violation(each) for bound in bounds) for each in values]
    if min(violations) > 0:
        nearest = violations.index(min(violations))
        broken = "; ".join(each.broken_words(values[nearest]) for each in bounds if not each.is_kept(values[nearest]))
        raise RequestError(
            f"No trial of the run {run.name} keeps {', '.join(bound.text for bound in bounds)}. Trial "
            f"{rows['trial'].iloc[nearest]} is the nearest: {broken}."
        )
    kept = rows[[violation == 0 for violation in violations]]
    order = sorted(range(len(kept)), key=lambda row: objective.loss(float(kept[objective.metric].iloc[row])))
    ordered = kept.iloc[order].reset_index(drop=True)
    return ordered.assign(rank=pd.array(range(1, len(ordered) + 1), dtype="Int64"))


def _parsed(run: Run, preference: Sequence[str]) -> tuple[list[Constraint], Objective]:
    objectives = {objective.metric: objective for objective in run.objectives}
    bounds, chosen, problems = [], [], []
    for text in preference:
        if isinstance(text, str) and text.strip() in objectives:
            chosen.append(objectives[text.strip()])
        elif isinstance(text, str) and not any(sign in text for sign in _SIGNS):
            problems.append(
                f"{short_repr(text)} is no bound such as 'parameters <= 1e5', and no objective of the run: it has "
                f"{', '.join(objectives)}."
            )
        else:
            try:
                bounds.append(Constraint(text))
            except InvalidConstraint as error:
                problems.append(f"{short_repr(text)} {error}.")
    if len(chosen) > 1:
        named = ", ".join(objective.metric for objective in chosen)
        problems.append(f"{named} are both named as what to optimise: name one, and give bounds for the others.")
    if problems:
        raise RequestError(*problems)
    return bounds, chosen[0] if chosen else run.objective


def _values(row: Mapping[Any, Any]) -> dict[str, float]:
    import pandas as pd

    return {str(name): math.nan if pd.isna(value) else float(value) for name, value in row.items()}
