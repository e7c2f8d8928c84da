"""The importance of parameters: how much of the objective a model of it loses without each of them.

A forest of scikit-learn learns the objective from the parameters. Then the values of one parameter are exchanged
between the trials in which it is active, and the forest predicts again: what the prediction loses on trials that it
has not learned from is the importance. So a conditional parameter is judged where it is active, and the fact that it
is active belongs to the parameter that decides it. This is done for several samples of the trials, drawn with
replacement: their spread is the uncertainty.

The forest learns ranks, not values: one trial that diverged must not decide everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tune_jobs.analysis.parameter_axes import ParameterAxis, parameter_axes
from tune_jobs.errors import RequestError
from tune_jobs.results.history import History
from tune_jobs.results.ranking import ranking

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from tune_jobs.results.run import Run

LEAST_TRIALS = 8
MOST_TRIALS = 2000
_SAMPLES = 12
_TREES = 40
_EXCHANGES = 2


@dataclass(frozen=True, slots=True)
class Importance:
    """The importance of one parameter.

    Attributes:
        name: The name of the parameter. All elements of a list count together.
        importance: The part of the variance of the objective's ranks that a forest no longer predicts when the values
            of the parameter are exchanged; the mean over samples of the trials. It may be a little below 0 by chance.
        spread: The standard deviation over the samples.
        active: The share of the trials in which the parameter is active, in (0, 1].
    """

    name: str
    importance: float
    spread: float
    active: float


@dataclass(frozen=True, slots=True)
class Importances:
    """The importance of all parameters in which trials differ.

    Attributes:
        parameters: The parameters, the most important first.
        trials: The number of trials that were compared.
        explained: The part of the variance that the forest predicts on trials that it has not learned from; the mean
            over samples. Near 0 the importances mean nothing.
    """

    parameters: tuple[Importance, ...]
    trials: int
    explained: float

    def table(self) -> pd.DataFrame:
        """Return a row per parameter with the columns ``parameter``, ``importance``, ``spread`` and ``active``."""
        import pandas as pd

        return pd.DataFrame(
            {
                "parameter": pd.array([row.name for row in self.parameters], dtype="string"),
                "importance": pd.array([row.importance for row in self.parameters], dtype="Float64"),
                "spread": pd.array([row.spread for row in self.parameters], dtype="Float64"),
                "active": pd.array([row.active for row in self.parameters], dtype="Float64"),
            }
        )


def importance(run: Run) -> Importances:
    """Return how important each parameter of a run was for the objective.

    Args:
        run: The run, which may still go on.

    Returns:
        The parameters in which the trials differ, the most important first. The same journal gives the same numbers.

    Raises:
        RequestError: Fewer than 8 trials have a finite objective, or all of them have the same configuration.
        JournalError: The journal is damaged, and not by a crash.

    Example:
        >>> import tune_jobs
        >>> run = tune_jobs.load_run("runs/digits")
        >>> tune_jobs.importance(run)
        Traceback (most recent call last):
        tune_jobs.errors.RequestError: The run digits has 4 trials with a finite val_accuracy, but importance needs 8...
    """
    return measure_importance(run, run.history())


def measure_importance(run: Run, history: History) -> Importances:
    """Return how important each parameter was, from a history that was read already: see ``importance``."""
    import numpy as np

    ranked = [row for row in ranking(history, run.objective) if row.best is not None]
    if len(ranked) < LEAST_TRIALS:
        raise RequestError(
            f"The run {run.name} has {len(ranked)} trials with a finite {run.objective.metric}, but importance needs "
            f"{LEAST_TRIALS}: wait, or resume it with more --trials."
        )
    if len(ranked) > MOST_TRIALS:
        kept = np.random.default_rng(0).choice(len(ranked), MOST_TRIALS, replace=False)
        ranked = [ranked[index] for index in sorted(kept.tolist())]
    axes = parameter_axes(run.space, [row.trial.config for row in ranked])
    if not axes:
        raise RequestError(f"All trials of the run {run.name} have the same configuration: nothing can be compared.")
    from scipy.stats import rankdata

    losses = [run.objective.loss(row.best.metrics[run.objective.metric]) for row in ranked if row.best is not None]
    ranks = rankdata(losses) / len(losses)
    return _measure(axes, ranks)


def _measure(axes: Sequence[ParameterAxis], ranks: NDArray[np.float64]) -> Importances:
    import numpy as np

    names = list(dict.fromkeys(axis.name for axis in axes))
    drops = np.zeros((_SAMPLES, len(names)))
    explained = np.zeros(_SAMPLES)
    rng = np.random.default_rng(0)
    for sample in range(_SAMPLES):
        features, owners = _features(axes, rng)
        explained[sample], drops[sample] = _one_sample(features, owners, names, axes, ranks, rng)
    rows = [
        Importance(
            name=name,
            importance=float(drops[:, index].mean()),
            spread=float(drops[:, index].std(ddof=1)),
            active=float(np.any([axis.active for axis in axes if axis.name == name], axis=0).mean()),
        )
        for index, name in enumerate(names)
    ]
    rows.sort(key=lambda row: -row.importance)
    return Importances(tuple(rows), len(ranks), float(explained.mean()))


def _one_sample(
    features: NDArray[np.float64],
    owners: Sequence[str],
    names: Sequence[str],
    axes: Sequence[ParameterAxis],
    ranks: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[float, list[float]]:
    """Return what a forest of one sample explains of the other trials, and what it loses without each parameter."""
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    count = len(ranks)
    drawn = rng.integers(count, size=count)
    others = np.setdiff1d(np.arange(count), drawn)
    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, random_state=int(rng.integers(2**31)))
    forest.fit(features[drawn], ranks[drawn])
    variance = float(ranks.var()) or 1.0

    changed = []
    for name in names:
        columns = [index for index, owner in enumerate(owners) if owner == name]
        active = np.stack([axis.active[others] for axis in axes if axis.name == name], axis=1)
        changed += [_exchanged(features[others], columns, active, rng) for _ in range(_EXCHANGES)]
    # All in one call: a forest takes longer to be asked than to answer.
    predicted = forest.predict(np.concatenate([features[others], *changed])).reshape(-1, len(others))
    errors = ((predicted - ranks[others]) ** 2).mean(axis=1) / variance
    worse = errors[1:].reshape(len(names), _EXCHANGES).mean(axis=1) - errors[0]
    return 1.0 - float(errors[0]), worse.tolist()


def _exchanged(
    rows: NDArray[np.float64], columns: Sequence[int], active: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the rows with the values of a parameter exchanged between rows in which the same elements are active."""
    import numpy as np

    changed = rows.copy()
    _, patterns = np.unique(active, axis=0, return_inverse=True)
    for pattern in np.unique(patterns):
        alike = np.flatnonzero(patterns.ravel() == pattern)
        changed[np.ix_(alike, np.array(columns))] = rows[np.ix_(rng.permutation(alike), np.array(columns))]
    return changed


def _features(axes: Sequence[ParameterAxis], rng: np.random.Generator) -> tuple[NDArray[np.float64], list[str]]:
    """Return the features of the trials, float64, (trials, features), and the parameter that each belongs to.

    A number is one feature. A parameter of three or more categories is one feature a category, because categories have
    no order. Where a parameter is not active, it has the value of any trial in which it is: so a tree cannot learn from
    it that it is not active, which belongs to the parameter that decides it.
    """
    import numpy as np

    columns: list[NDArray[np.float64]] = []
    owners: list[str] = []
    for axis in axes:
        drawn = rng.choice(axis.positions[axis.active], len(axis.positions))
        positions = np.where(axis.active, axis.positions, drawn)
        if axis.categories is None or len(axis.categories) < 3:
            columns.append(positions)
            owners.append(axis.name)
            continue
        for index in range(len(axis.categories)):
            columns.append((positions == index).astype(np.float64))
            owners.append(axis.name)
    return np.stack(columns, axis=1), owners
