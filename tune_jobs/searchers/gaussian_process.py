"""The model of Bayesian search: a Gaussian process on the vectors of a space, and the improvement that it expects."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

Array = NDArray[np.float64]
_Objective = Callable[[Array], tuple[float, Array]]

_NOISE = 0.01  # of a variance of 1: training the same configuration again gives something else
_STEPS = 40  # of the optimiser; it needs 10 to 20


class ParameterMatern(Matern):  # type: ignore[misc]  # scikit-learn has no types
    """Matern 5/2 with a length scale for each parameter, instead of each column: there are few trials to learn from.

    Args:
        length_scale: One for each parameter.
        length_scale_bounds: The least and the largest.
        owners: For each column the number of its parameter.
    """

    def __init__(
        self, length_scale: Any, length_scale_bounds: tuple[float, float] = (1e-2, 1e2), owners: Any = ()
    ) -> None:
        super().__init__(length_scale, length_scale_bounds, nu=2.5)
        self.owners = owners

    def __call__(self, X: Array, Y: Array | None = None, eval_gradient: bool = False) -> Any:  # noqa: D102, N803
        columns = Matern(np.atleast_1d(self.length_scale)[self.owners], nu=self.nu)
        if not eval_gradient:
            return columns(X, Y)
        covariance, gradient = columns(X, Y, eval_gradient=True)
        parameters = np.arange(np.size(self.length_scale))
        return covariance, gradient @ (self.owners[:, None] == parameters).astype(float)


class Surrogate:
    """What is expected of configurations that were not tried, from those that were.

    The kernel's settings are the most probable ones (maximum a posteriori) under broad log-normal priors: without
    them, the likelihood of a handful of trials would choose absurd ones. They are found anew from the data each time,
    always from the same start: nothing depends on what was asked before.

    Args:
        rows: The vectors of the trials. Shape: (trials, width).
        scores: How bad each was, of variance 1.
        pending: The vectors of trials that cannot be judged yet.
        owners: For each column the number of its parameter.
        seed: For scikit-learn.
    """

    def __init__(self, rows: Array, scores: Array, pending: Array, owners: NDArray[np.intp], seed: int) -> None:
        parameters = int(owners.max()) + 1
        # Vectors of more parameters lie further apart (compare Hvarfner, Hellsten and Nardi 2024).
        scales = np.full(parameters, 0.5 * math.sqrt(parameters))
        kernel = ConstantKernel(1.0) * ParameterMatern(scales, owners=owners) + WhiteKernel(_NOISE, (1e-6, 1.0))
        self._process = _fitted(GaussianProcessRegressor(kernel, optimizer=_map, random_state=seed), rows, scores)
        # The least that is expected at any trial: the least that was seen may have been luck.
        self._best = float(self._process.predict(rows).min())
        if len(pending):
            # What is running is believed to turn out as expected ("kriging believer": Ginsbourger, Le Riche and
            # Carraro 2010, section 4.2), so that little improvement is expected near it.
            believed = self._process.predict(pending)
            known = GaussianProcessRegressor(self._process.kernel_, optimizer=None)
            self._process = _fitted(known, np.vstack([rows, pending]), np.concatenate([scores, believed]))

    def expected_improvement(self, rows: Array) -> Array:
        """How much better than the best each is expected to be (Jones, Schonlau and Welch 1998, section 4.1)."""
        mean, deviation = self._process.predict(rows, return_std=True)
        # Of what is expected, not of what training would show of it, which scikit-learn adds.
        deviation = np.sqrt(np.maximum(deviation**2 - self._process.kernel_.k2.noise_level, 1e-12))
        z = (self._best - mean) / deviation
        return np.asarray(deviation * (z * ndtr(z) + np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)))


def normal_scores(places: Array, trials: int) -> Array:
    """The normal quantiles of places from 1 among a number of trials: least is best.

    Only the order of the trials can be known when they were trained for different numbers of epochs. As the quantiles
    of a normal distribution it suits a Gaussian process, and no loss is an outlier (Salinas, Shen and Perrone 2020).
    """
    return np.asarray(ndtri((places - 0.5) / trials))


def _fitted(process: GaussianProcessRegressor, rows: Array, scores: Array) -> GaussianProcessRegressor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a setting at its bound: it matters little, then
        return process.fit(rows, scores)


def _map(objective: _Objective, start: Array, bounds: Array) -> tuple[Array, float]:
    """The most probable logarithms of a kernel's settings: each is normal around where it starts, with deviation 1."""

    def posterior(theta: Array) -> tuple[float, Array]:
        value, gradient = objective(theta)
        away = theta - start
        return value + 0.5 * float(away @ away), gradient + away

    result = minimize(posterior, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS})
    return result.x, result.fun
