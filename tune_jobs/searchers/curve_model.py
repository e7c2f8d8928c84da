"""The model of the curve search: a Gaussian process over configuration and epoch, which foresees where curves end."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from scipy.special import ndtr
from threadpoolctl import ThreadpoolController

from tune_jobs.searchers.curve_results import NO_TRIAL

Array = NDArray[np.float64]

_ROOT_5 = math.sqrt(5.0)
_JITTER = 1e-6
_MAX_STEPS = 25  # of the optimiser
_EFFECT, _SHAPE, _TRIAL, _DRIFT = 0.5, 0.5, 0.05, 0.1  # expected variances, of 1 in all
_NOISE = 0.02
_EPOCH_SCALE = 0.7  # expected length scale of the logarithm of epochs, which runs from 0 to 1


@dataclass(frozen=True)
class Points:
    """Results of trials after some of their epochs.

    Attributes:
        rows: The vector of each result's configuration. Shape: (points, width).
        times: The logarithm of the epoch, divided by that of the last epoch: from 0 to 1. Shape: (points,).
        trials: The number of each result's trial; ``NO_TRIAL`` of an untried configuration. Shape: (points,).
        levels: The number of the rung at which or after which the result came, from 0. Shape: (points,).
    """

    rows: Array
    times: Array
    trials: NDArray[np.intp]
    levels: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.times)

    def joined(self, others: Points) -> Points:
        """Return these points, and others after them."""
        return Points(
            np.vstack([self.rows, others.rows]),
            np.concatenate([self.times, others.times]),
            np.concatenate([self.trials, others.trials]),
            np.concatenate([self.levels, others.levels]),
        )


@dataclass(frozen=True)
class Settings:
    """The settings of the kernel, as logarithms.

    Attributes:
        theta: The variances of a configuration's effect, of its curve's shape, of a trial's own level and of its own
            drift; the length scale of epochs; the length scale of each parameter; the noise at each rung.
        owners: The number of each column's parameter, from 0. Shape: (width,).
    """

    theta: Array
    owners: NDArray[np.intp]

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        return int(self.owners.max()) + 1

    @property
    def explained(self) -> float:
        """The part of the variance between trials that their configurations explain, from 0 to 1."""
        effect, shape, trial, drift = np.exp(self.theta[:4])
        return float((effect + shape) / (effect + shape + trial + drift))

    @property
    def scales(self) -> Array:
        """The length scale of each column. Shape: (width,)."""
        return np.exp(self.theta[5 : 5 + self.parameters])[self.owners]

    @property
    def noises(self) -> Array:
        """The variance of the noise at each rung. Shape: (rungs,)."""
        return np.exp(self.theta[5 + self.parameters :])


def expected_settings(owners: NDArray[np.intp], rungs: int) -> Settings:
    """Return the settings that are expected before there are results: the centre of their prior."""
    parameters = int(owners.max()) + 1
    # Vectors of more parameters lie further apart (compare Hvarfner, Hellsten and Nardi 2024).
    scales = [0.5 * math.sqrt(parameters)] * parameters
    values = [_EFFECT, _SHAPE, _TRIAL, _DRIFT, _EPOCH_SCALE, *scales, *[_NOISE] * rungs]
    return Settings(np.log(values), owners)


def fitted_settings(points: Points, scores: Array, start: Settings) -> Settings:
    """Return the most probable settings.

    The prior of each is normal around its start, with a standard deviation of 1.

    Args:
        points: The results.
        scores: The score of each result.
        start: The settings before.
    """
    parameters = start.parameters
    count = len(points)
    left, right = np.tril_indices(count, -1)  # all matrices are symmetric: one half of them, without the diagonal
    squares = _squares(points.rows, start.owners, left, right)
    gaps = np.abs(points.times[left] - points.times[right])
    same = (points.trials[left] == points.trials[right]).astype(np.float64)
    known = _curve_in_common(gaps)
    levels = (np.arange(len(start.theta) - 5 - parameters)[:, None] == points.levels).astype(np.float64)
    centre = start.theta

    def loss(theta: Array) -> tuple[float, Array]:
        effect, shape, trial, drift, epoch_scale = np.exp(theta[:5])
        inverse_squares = np.exp(-2 * theta[5 : 5 + parameters])
        noises = np.exp(theta[5 + parameters :])
        r = _ROOT_5 * np.sqrt(inverse_squares @ squares)
        decay = np.exp(-r)
        slope = 5 / 3 * (1 + r) * decay  # of alike, by the squared distance, times -2
        alike = slope * 0.6 + r**2 / 3 * decay
        near = np.exp(-gaps / epoch_scale)
        of_effect = effect + shape * near
        covariance = np.empty((count, count))
        covariance[left, right] = alike * of_effect + same * (trial + drift * near) + known
        at_once = effect + shape + trial + drift + _curve_in_common(np.zeros(1))[0]
        covariance.flat[:: count + 1] = at_once + noises[points.levels] + _JITTER
        try:
            factor = cholesky(covariance, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(theta)
        weights = cho_solve((factor, True), scores, check_finite=False)
        value = 0.5 * scores @ weights + np.log(np.diag(factor)).sum()
        inverse, _ = dpotri(factor, lower=True)  # its lower half
        # By the covariance; pairs count twice.
        gradient = inverse[left, right] - weights[left] * weights[right]
        own = 0.5 * (np.diag(inverse) - weights**2)
        of_near, total = gradient * near, own.sum()
        moved = (shape * alike + drift * same) @ (of_near * gaps) / epoch_scale
        slopes = np.concatenate(
            [
                [
                    effect * (gradient @ alike + total),
                    shape * (of_near @ alike + total),
                    trial * (gradient @ same + total),
                    drift * (of_near @ same + total),
                    moved,
                ],
                (squares @ (gradient * slope * of_effect)) * inverse_squares,
                noises * (levels @ own),
            ]
        )
        away = theta - centre
        return float(value + 0.5 * away @ away), slopes + away

    result = minimize(
        loss,
        centre,
        jac=True,
        method="L-BFGS-B",
        bounds=[(c - 5, c + 5) for c in centre],
        options={"maxiter": _MAX_STEPS},
    )
    return Settings(result.x, start.owners)


def _squares(
    rows: Array, owners: NDArray[np.intp], left: NDArray[np.intp], right: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the squared distances of pairs of rows in each parameter. Shape: (parameters, pairs)."""
    squares = np.zeros((int(owners.max()) + 1, len(left)))
    for column, owner in zip(rows.T, owners, strict=True):
        squares[owner] += (column[left] - column[right]) ** 2
    return squares


class CurveModel:
    """A model of what the results of a run say of untried configurations, and of trials that go on.

    Args:
        points: The results.
        scores: The score of each result; less is better.
        settings: The settings of the kernel.
    """

    def __init__(self, points: Points, scores: Array, settings: Settings) -> None:
        self._points = points
        self._scores = scores
        self._settings = settings
        self._factor = cholesky(self._noisy(points), lower=True, check_finite=False)
        self._weights = cho_solve((self._factor, True), scores, check_finite=False)

    def believing(self, points: Points) -> CurveModel:
        """Return a model that believes that results at other points will be the means that are expected there."""
        cross = self._covariance(self._points, points)
        half = solve_triangular(self._factor, cross, lower=True, check_finite=False)
        model = object.__new__(CurveModel)
        model._settings = self._settings
        model._points = self._points.joined(points)
        model._scores = np.concatenate([self._scores, cross.T @ self._weights])
        known, count = len(self._points), len(model._points)
        model._factor = np.zeros((count, count))  # rows are added to the factor: that is cheaper than a new one
        model._factor[:known, :known] = self._factor
        model._factor[known:, :known] = half.T
        model._factor[known:, known:] = cholesky(self._noisy(points) - half.T @ half, lower=True, check_finite=False)
        model._weights = cho_solve((model._factor, True), model._scores, check_finite=False)
        return model

    def means(self, points: Points) -> Array:
        """Return the mean of the score at points; without the deviation it takes a fraction of the time."""
        return np.asarray(self._covariance(self._points, points).T @ self._weights)

    def predict(self, points: Points) -> tuple[Array, Array]:
        """Return the mean and the standard deviation of the score at points, without noise."""
        cross = self._covariance(self._points, points)
        half = solve_triangular(self._factor, cross, lower=True, check_finite=False)
        effect, shape, trial, drift, _ = np.exp(self._settings.theta[:5])
        prior = (
            effect + shape + _curve_in_common(np.zeros(1))[0] + np.where(points.trials == NO_TRIAL, 0.0, trial + drift)
        )
        variance = prior - (half**2).sum(0)
        return cross.T @ self._weights, np.sqrt(np.maximum(variance, 1e-10))

    def _noisy(self, points: Points) -> Array:
        covariance = self._covariance(points, points)
        covariance.flat[:: len(points) + 1] += self._settings.noises[points.levels] + _JITTER
        return covariance

    def _covariance(self, left: Points, right: Points) -> Array:
        settings = self._settings
        effect, shape, trial, drift, epoch_scale = np.exp(settings.theta[:5])
        # Most of a proposal's time is spent here, so matrices are changed in place.
        a, b = left.rows / settings.scales, right.rows / settings.scales
        r = a @ b.T
        r *= -2
        r += (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :]
        np.maximum(r, 0.0, out=r)
        np.sqrt(r, out=r)
        r *= _ROOT_5
        covariance = r * r
        covariance /= 3
        covariance += r
        covariance += 1
        np.negative(r, out=r)
        covariance *= np.exp(r, out=r)
        # There are few different times: their functions are computed once for each.
        left_times, left_time = np.unique(left.times, return_inverse=True)
        right_times, right_time = np.unique(right.times, return_inverse=True)
        gaps = np.abs(left_times[:, None] - right_times[None, :])
        near = np.exp(-gaps / epoch_scale)

        def spread(table: Array) -> Array:
            # Ends of curves share one time: then a column stands for the matrix.
            return table[left_time] if len(right_times) == 1 else table[left_time][:, right_time]

        covariance *= spread(effect + shape * near)
        covariance += spread(_curve_in_common(gaps))
        if (right.trials != NO_TRIAL).any():
            same = (left.trials[:, None] == right.trials[None, :]) & (left.trials[:, None] != NO_TRIAL)
            covariance += same * spread(trial + drift * near)
        return np.asarray(covariance)


def _curve_in_common(gaps: Array) -> Array:
    """Return the covariance of the curve that all configurations have in common, with its unknown level."""
    return 1.0 + np.exp(-gaps)


def one_thread() -> AbstractContextManager[Any]:
    """Return a context in which matrices are computed by one thread.

    The matrices are small: several threads mostly wait for each other, which took 5 times the CPU time. And the number
    of cores would change the last bits.
    """
    return _thread_pools().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


@cache
def _thread_pools() -> Any:
    return ThreadpoolController()  # of the libraries that are loaded now: NumPy's and SciPy's are


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """Return the expected improvement on a score (Jones, Schonlau and Welch 1998, section 4.1)."""
    z = (best - mean) / deviation
    return np.asarray(deviation * (z * ndtr(z) + np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)))
