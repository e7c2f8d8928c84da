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
_NegativeLogLikelihood = Callable[[Array], tuple[float, Array]]

_NOISE = 0.01  # of a variance of 1: training the same configuration again gives another result
_MAX_STEPS = 40  # of the optimiser; it needs 10 to 20


class ParameterMatern(Matern):  # type: ignore[misc]  # scikit-learn has no types
    """Matern 5/2 with a length scale for each parameter, not for each column: there are few trials to learn from.

    Args:
        length_scale: One scale for each parameter. Shape: (parameters,).
        length_scale_bounds: The smallest and the largest scale.
        owners: The number of each column's parameter, from 0. Shape: (width,).
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
    """A model that predicts untried configurations from the trials.

    The kernel's settings are the most probable ones (maximum a posteriori) under broad log-normal priors. Without the
    priors, the likelihood of a handful of trials would choose absurd settings. They are computed anew from the data
    each time, always from the same start: nothing depends on earlier proposals.

    Args:
        rows: The vectors of the judged trials. Shape: (trials, width).
        scores: The score of each judged trial, of variance 1; less is better. Shape: (trials,).
        pending: The vectors of trials that cannot be judged yet. Shape: (pending trials, width).
        owners: The number of each column's parameter, from 0. Shape: (width,).
        seed: The seed for scikit-learn.
    """

    def __init__(self, rows: Array, scores: Array, pending: Array, owners: NDArray[np.intp], seed: int) -> None:
        parameters = int(owners.max()) + 1
        # Vectors of more parameters lie further apart (compare Hvarfner, Hellsten and Nardi 2024).
        scales = np.full(parameters, 0.5 * math.sqrt(parameters))
        kernel = ConstantKernel(1.0) * ParameterMatern(scales, owners=owners) + WhiteKernel(_NOISE, (1e-6, 1.0))
        process = GaussianProcessRegressor(kernel, optimizer=_most_probable, random_state=seed)
        self._process = _fitted(process, rows, scores)
        # The best score that is expected at any trial: the best score that was seen may have been luck.
        self._best = float(self._process.predict(rows).min())
        self._known = rows, scores
        if len(pending):
            self.believe(pending)

    def believe(self, pending: Array) -> None:
        """Believe that some configurations turn out as expected, so that little improvement is expected near them.

        That is the "kriging believer" (Ginsbourger, Le Riche and Carraro 2010, section 4.2).

        Args:
            pending: The vectors of configurations whose results are not known. Shape: (pending, width).
        """
        rows, scores = self._known
        believed = self._process.predict(pending)
        known = GaussianProcessRegressor(self._process.kernel_, optimizer=None)
        self._process = _fitted(known, np.vstack([rows, pending]), np.concatenate([scores, believed]))

    def means(self, rows: Array) -> Array:
        """Return the expected scores of configurations; less is better.

        Args:
            rows: The vectors of the configurations. Shape: (configurations, width).
        """
        return np.asarray(self._process.predict(rows))

    def expected_improvement(self, rows: Array) -> Array:
        """Return the expected improvement of configurations on the best (Jones, Schonlau and Welch 1998, section 4.1).

        Args:
            rows: The vectors of the configurations. Shape: (configurations, width).

        Returns:
            The expected improvements, in units of the scores; more is better. Shape: (configurations,).
        """
        mean, deviation = self._process.predict(rows, return_std=True)
        # scikit-learn adds the noise of training to the deviation; the improvement is that of the mean, without noise.
        deviation = np.sqrt(np.maximum(deviation**2 - self._process.kernel_.k2.noise_level, 1e-12))
        z = (self._best - mean) / deviation
        return np.asarray(deviation * (z * ndtr(z) + np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)))


def normal_scores(ranks: Array, trials: int) -> Array:
    """Return the normal quantiles of ranks.

    Only the order of the trials can be known if they were trained for different numbers of epochs. Quantiles of a
    normal distribution suit a Gaussian process, and no loss is an outlier (Salinas, Shen and Perrone 2020).

    Args:
        ranks: Ranks from 1; the best trial has the first rank.
        trials: The number of trials that were ranked.

    Returns:
        The scores; less is better. The shape is that of the ranks.
    """
    return np.asarray(ndtri((ranks - 0.5) / trials))


def _fitted(process: GaussianProcessRegressor, rows: Array, scores: Array) -> GaussianProcessRegressor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a setting is at its bound: then it matters little
        return process.fit(rows, scores)


def _most_probable(objective: _NegativeLogLikelihood, start: Array, bounds: Array) -> tuple[Array, float]:
    """Return the most probable logarithms of a kernel's settings, and the objective at that point.

    The prior of each is normal around its start, with a standard deviation of 1.
    """

    def posterior(theta: Array) -> tuple[float, Array]:
        value, gradient = objective(theta)
        distance = theta - start
        return value + 0.5 * float(distance @ distance), gradient + distance

    result = minimize(posterior, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _MAX_STEPS})
    return result.x, result.fun
