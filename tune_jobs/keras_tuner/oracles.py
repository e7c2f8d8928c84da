"""The oracles: one for each way to choose configurations and to stop trials."""

from __future__ import annotations

import math
from typing import Any

from tune_jobs.base.rules import count_problem
from tune_jobs.keras_tuner.define_by_run.parameters import ten_values
from tune_jobs.keras_tuner.define_by_run.space import FoundSpace
from tune_jobs.keras_tuner.errors import NotSupported
from tune_jobs.keras_tuner.oracle import Oracle
from tune_jobs.keras_tuner.trials.meeting import ParameterOf, with_listed_values
from tune_jobs.schedulers import ASHA, NoScheduler, Scheduler
from tune_jobs.searchers import Bayesian, Grid, HyperOpt, Random, Searcher

_ALPHA, _BETA = 1e-4, 2.6


class RandomSearchOracle(Oracle):
    """Random search: no configuration twice."""

    def __init__(self, objective: Any = None, max_trials: int | None = 10, **others: Any) -> None:
        super().__init__(objective, max_trials, **others)

    def searcher(self, found: FoundSpace) -> Searcher:  # noqa: ARG002 - the same for all
        """Return the searcher."""
        return Random()


class GridSearchOracle(Oracle):
    """Grid search: each configuration once, in order. A range without steps has ten values, its ends among them."""

    def searcher(self, found: FoundSpace) -> Searcher:  # noqa: ARG002 - the same for all
        """Return the searcher."""
        return Grid()

    def space_of(self, found: FoundSpace) -> FoundSpace:
        """Return the space with ten values for each range without steps."""
        values = {
            name: ten_values(parameter.lower, parameter.upper, found.parameters[name].sampling)  # type: ignore[attr-defined]
            for name, parameter in found.space.parameters.items()
            if parameter.size is None
        }
        return found.with_choices(values) if values else found

    def parameter_of(self) -> ParameterOf | None:
        """Return what makes parameters of hyperparameters that are met late, with listed values."""
        return None if super().parameter_of() is None else with_listed_values


class BayesianOptimizationOracle(Oracle):
    """Bayesian optimisation with a Gaussian process: no configuration twice.

    The criterion is the expected improvement, which has no ``beta``; the noise is estimated, so there is no ``alpha``.
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = 10,
        num_initial_points: int | None = None,
        alpha: float = _ALPHA,
        beta: float = _BETA,
        **others: Any,
    ) -> None:
        super().__init__(objective, max_trials, **others)
        if alpha != _ALPHA or beta != _BETA:
            raise NotSupported(
                f"BayesianOptimization has no `alpha` and `beta` here (got {alpha!r} and {beta!r}): it estimates the "
                "noise, and proposes where the expected improvement is largest. Leave both out."
            )
        if num_initial_points is not None and (problem := count_problem("num_initial_points", num_initial_points)):
            raise ValueError(problem)
        self.num_initial_points = num_initial_points

    def searcher(self, found: FoundSpace) -> Searcher:  # noqa: ARG002 - the same for all
        """Return the searcher."""
        return Bayesian() if self.num_initial_points is None else Bayesian(startup_trials=self.num_initial_points)


class HyperOptOracle(Oracle):
    """The tree-structured Parzen estimator of HyperOpt. KerasTuner has none."""

    def __init__(self, objective: Any = None, max_trials: int | None = 10, **others: Any) -> None:
        super().__init__(objective, max_trials, **others)

    def searcher(self, found: FoundSpace) -> Searcher:  # noqa: ARG002 - the same for all
        """Return the searcher."""
        return HyperOpt()


class _Halving(Oracle):
    """The base of the oracles that stop the worse trials early."""

    def __init__(
        self,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        max_trials: int | None = None,
        **others: Any,
    ) -> None:
        super().__init__(objective, max_trials, **others)
        problems = [count_problem("max_epochs", max_epochs), count_problem("factor", factor, least=2)]
        if problems := [problem for problem in problems if problem]:
            raise ValueError("\n".join(problems))
        self.max_epochs = max_epochs
        self.factor = factor

    def epochs(self, requested: int) -> int:  # noqa: ARG002 - the oracle decides
        """Return the number of epochs of a trial that nothing stops."""
        return self.max_epochs


class ASHAOracle(_Halving):
    """HyperOpt's proposals, of which the worse trials are stopped early (ASHA). KerasTuner has none."""

    def __init__(
        self, objective: Any = None, max_epochs: int = 100, factor: int = 3, max_trials: int | None = 10, **others: Any
    ) -> None:
        super().__init__(objective, max_epochs, factor, max_trials, **others)

    def searcher(self, found: FoundSpace) -> Searcher:  # noqa: ARG002 - the same for all
        """Return the searcher."""
        return HyperOpt()

    def scheduler(self, max_epochs: int) -> Scheduler:
        """Return the scheduler."""
        return NoScheduler() if max_epochs == 1 else ASHA(reduction_factor=self.factor)


class HyperbandOracle(_Halving):
    """Hyperband: random configurations in brackets, which stop trials early after 1, factor, factor² … epochs.

    The brackets run side by side and without waiting (asynchronous successive halving). The number of configurations is
    that of KerasTuner's Hyperband: the sum of the first rounds of its brackets, times ``hyperband_iterations``.
    """

    def __init__(
        self,
        objective: Any = None,
        max_epochs: int = 100,
        factor: int = 3,
        hyperband_iterations: int = 1,
        **others: Any,
    ) -> None:
        super().__init__(objective, max_epochs, factor, **others)
        if problem := count_problem("hyperband_iterations", hyperband_iterations):
            raise ValueError(problem)
        self.hyperband_iterations = hyperband_iterations

    @property
    def brackets(self) -> list[int]:
        """The number of configurations that each bracket begins with."""
        count = 1
        while self.factor**count <= self.max_epochs:
            count += 1
        return [math.ceil(count * self.factor**index / (index + 1)) for index in range(count)]

    def searcher(self, found: FoundSpace) -> Searcher:  # noqa: ARG002 - the same for all
        """Return the searcher."""
        return Random()

    def scheduler(self, max_epochs: int) -> Scheduler:
        """Return the scheduler."""
        if max_epochs == 1:
            return NoScheduler()
        rungs = len(ASHA(reduction_factor=self.factor).rungs(max_epochs))
        return ASHA(reduction_factor=self.factor, brackets=min(len(self.brackets), rungs))

    def trials_of(self, found: FoundSpace) -> int:  # noqa: ARG002 - the same for all
        """Return the number of trials."""
        return self.hyperband_iterations * sum(self.brackets) if self.max_trials is None else self.max_trials


def __getattr__(name: str) -> object:
    """Return an oracle by the name that it had in ``kerastuner.oracles``, which was that of its tuner."""
    oracle = globals().get(f"{name}Oracle")
    if oracle is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return oracle
