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
    owners, parameters = start.owners, start.parameters
    distances = np.zeros((parameters, len(points), len(points)))
    for column, owner in enumerate(owners):
        values = points.rows[:, column]
        distances[owner] += (values[:, None] - values[None, :]) ** 2
    squares = distances.reshape(parameters, -1)
    gaps = np.abs(points.times[:, None] - points.times[None, :])
    same = points.trials[:, None] == points.trials[None, :]
    known = _curve_in_common(gaps)
    levels = np.arange(len(start.theta) - 5 - parameters)[:, None] == points.levels
    centre = start.theta

    def loss(theta: Array) -> tuple[float, Array]:
        effect, shape, trial, drift, epoch_scale = np.exp(theta[:5])
        inverse_squares = np.exp(-2 * theta[5 : 5 + parameters])
        noises = np.exp(theta[5 + parameters :])
        r = np.sqrt(inverse_squares @ squares).reshape(gaps.shape)
        decay = np.exp(-_ROOT_5 * r)
        alike = (1 + _ROOT_5 * r + 5 / 3 * r**2) * decay
        slope = 5 / 3 * (1 + _ROOT_5 * r) * decay  # of alike, by the squared distance, times -2
        near = np.exp(-gaps / epoch_scale)
        own = same * (trial + drift * near)
        covariance = alike * (effect + shape * near) + own + known
        covariance.flat[:: len(gaps) + 1] += noises[points.levels] + _JITTER
        try:
            factor = cholesky(covariance, lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros_like(theta)
        weights = cho_solve((factor, True), scores, check_finite=False)
        inverse = cho_solve((factor, True), np.eye(len(scores)), check_finite=False)
        value = 0.5 * scores @ weights + np.log(np.diag(factor)).sum()
        gradient = -0.5 * (np.outer(weights, weights) - inverse)  # by the covariance
        of_near = gradient * near
        moved = (shape * alike + drift * same) * of_near * gaps / epoch_scale
        stretched = gradient * slope * (effect + shape * near)
        slopes = np.concatenate(
            [
                [
                    effect * np.vdot(gradient, alike),
                    shape * np.vdot(of_near, alike),
                    trial * gradient[same].sum(),
                    drift * of_near[same].sum(),
                    moved.sum(),
                ],
                (squares @ stretched.ravel()) * inverse_squares,
                noises * (levels @ np.diag(gradient)),
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
    return Settings(result.x, owners)


class CurveModel:
    """A model of what the results of a run say of untried configurations, and of trials that go on.

    Args:
        points: The results.
        scores: The score of each result; less is better.
        settings: The settings of the kernel.
    """

    def __init__(self, points: Points, scores: Array, settings: Settings) -> None:
        self._points = points
        self._settings = settings
        covariance = self._covariance(points, points)
        covariance.flat[:: len(points) + 1] += settings.noises[points.levels] + _JITTER
        self._factor = cholesky(covariance, lower=True, check_finite=False)
        self._weights = cho_solve((self._factor, True), scores, check_finite=False)

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

    def _covariance(self, left: Points, right: Points) -> Array:
        settings = self._settings
        effect, shape, trial, drift, epoch_scale = np.exp(settings.theta[:5])
        a, b = left.rows / settings.scales, right.rows / settings.scales
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2 * a @ b.T
        r = np.sqrt(np.maximum(squares, 0.0))
        gaps = np.abs(left.times[:, None] - right.times[None, :])
        near = np.exp(-gaps / epoch_scale)
        alike = (1 + _ROOT_5 * r + 5 / 3 * r**2) * np.exp(-_ROOT_5 * r)
        same = (left.trials[:, None] == right.trials[None, :]) & (left.trials[:, None] != NO_TRIAL)
        return np.asarray(alike * (effect + shape * near) + same * (trial + drift * near) + _curve_in_common(gaps))


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
