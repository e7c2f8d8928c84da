"""The Pareto front of a run: the trials that no other trial beats in all of several objectives."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from search_spaces.messages import short_repr
from tune_jobs.base.objective import Objective
from tune_jobs.errors import RequestError
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def pareto_front(run: Run, objectives: Sequence[Objective] | None = None) -> pd.DataFrame:
    """Return the rows of a run's leaderboard that are best in some trade between several objectives.

    A trial is left out if another one is at least as good in every objective, and better in one. It is also left out if
    it has no value of one of them, or breaks a constraint of the run. The values are those of the leaderboard: metrics
    at the trial's best epoch, and columns such as ``seconds``, or a parameter that is a number.

    Args:
        run: The run.
        objectives: Two or more objectives, by columns of the leaderboard; None: those of the run.

    Raises:
        RequestError: There are fewer than two objectives, or one is no column of numbers.

    Example:
        >>> import tune_jobs
        >>> from search_spaces import Choice, SearchSpace
        >>> from tune_jobs import Grid, Objective
        >>> space = SearchSpace(units=Choice(8, 16, 32))
        >>> objectives = [Objective("accuracy", "max"), Objective("parameters", "min")]
        >>> with tune_jobs.ask_tell(space, objectives=objectives, name="two", searcher=Grid()) as study:
        ...     for trial in study:
        ...         units = trial.config["units"]
        ...         accuracy = {8: 0.7, 16: 0.9, 32: 0.8}[units]
        ...         goes_on = study.observe(trial, {"accuracy": accuracy, "parameters": 65 * units})
        >>> tune_jobs.pareto_front(study.run)["units"].tolist()
        [16, 8]
    """
    frame = run.leaderboard()
    chosen = run.objectives if objectives is None else objectives
    problems = [problem for objective in chosen for problem in column_problems(frame, objective.metric)]
    if len(chosen) < 2:
        remedy = "" if objectives is not None else " in the run: name columns, as in --pareto accuracy:max"
        problems.insert(0, f"A Pareto front needs two or more objectives, but there is {len(chosen)}{remedy}.")
    if problems:
        raise RequestError(*problems)
    if "feasible" in frame and run.objective.constraints:
        frame = frame[frame["feasible"].fillna(False).astype(bool)]
    return frame[_not_dominated(_losses(frame, chosen))].reset_index(drop=True)


def column_problems(frame: pd.DataFrame, name: str) -> list[str]:
    """Return why a name is no column of numbers of a leaderboard, a sentence; nothing if it is.

    Args:
        frame: The leaderboard.
        name: The name.
    """
    if name not in frame.columns:
        near = difflib.get_close_matches(name, map(str, frame.columns), 1)
        hint = f": you may have meant `{near[0]}`" if near else f": it has {', '.join(frame.columns)}"
        return [f"{short_repr(name)} is no column of the leaderboard{hint}."]
    if frame[name].dtype.kind not in "iuf":
        return [f"The column {short_repr(name)} of the leaderboard has no numbers to compare."]
    return []


def _losses(frame: pd.DataFrame, objectives: Sequence[Objective]) -> NDArray[np.float64]:
    import numpy as np

    def column(objective: Objective) -> Any:
        return objective.loss(frame[objective.metric].to_numpy(dtype=np.float64, na_value=np.nan))  # type: ignore[arg-type]

    return np.stack([column(objective) for objective in objectives], axis=1)


def _not_dominated(losses: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows no other row dominates; a row with NaN is none of them. Shape: (rows, objectives)."""
    import numpy as np

    kept: NDArray[np.bool_] = np.all(np.isfinite(losses), axis=1)
    front = np.empty((0, losses.shape[1]))
    for row in np.lexsort(losses.T[::-1]):  # whoever dominates a row stands before it
        if not kept[row]:
            continue
        if ((front <= losses[row]).all(axis=1) & (front < losses[row]).any(axis=1)).any():
            kept[row] = False
        else:
            front = np.vstack([front, losses[row]])
    return kept
