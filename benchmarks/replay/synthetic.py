"""A family of synthetic worlds: losses that stay flat and fall late, cross, jump, diverge, and are noisy.

They look like the validation losses of recurrent networks, which early epochs foretell badly. Each world has a kind and
a number. The kind says what its curves do, and the number draws the landscape: where the good configurations lie.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces import Choice, Float, Int, SearchSpace
from search_spaces.adapters.vectors import Vectors
from tune_jobs.replay import Curve

EPOCHS = 50
SPACE = SearchSpace(
    learning_rate=Float(1e-4, 1e-1, log=True),
    units=Int(16, 512, log=True),
    layers=Int(1, 4),
    dropout=Float(0.0, 0.6),
    batch_size=Choice(16, 32, 64, 128),
    optimizer=Choice("adam", "sgd"),
    momentum=Float(0.0, 0.99).when(optimizer="sgd"),
)
_START = math.log(10)  # the cross-entropy of a network that knows nothing of 10 classes
_BEST, _WORST = 0.15, 1.9  # final losses
_WAVES = 24
_SAMPLES = 512  # configurations that tell how often a landscape has which height


@dataclass(frozen=True)
class Kind:
    """The traits of a world's curves.

    Attributes:
        plateau: The longest plateau before the loss begins to fall, in epochs.
        crossing: The part of the plateau's length that good configurations have more of: from 0 to 1.
        noise: The standard deviation of each epoch's loss, as a part of the loss.
        spikes: The probability that an epoch's loss jumps.
        divergence: The part of the configurations that diverge.
    """

    plateau: float
    crossing: float = 0.0
    noise: float = 0.01
    spikes: float = 0.0
    divergence: float = 0.0


KINDS = {
    "plateaus": Kind(plateau=25),
    "crossings": Kind(plateau=20, crossing=0.7),
    "spikes": Kind(plateau=10, noise=0.08, spikes=0.08),
    "divergence": Kind(plateau=10, noise=0.03, divergence=0.35),
    "all": Kind(plateau=20, crossing=0.3, noise=0.04, spikes=0.04, divergence=0.15),
}


class Landscape:
    """A smooth random function of a configuration's vector, with values that are nearly even in [0, 1].

    Args:
        rng: The generator that draws it.
        rows: Vectors of configurations, as they are drawn from the space. Shape: (configurations, width).
        bowl: The weight of a bowl around a random point, beside waves; from 0 to 1.
    """

    def __init__(self, rng: np.random.Generator, rows: NDArray[np.float64], bowl: float) -> None:
        width = rows.shape[1]
        self._centre = rng.uniform(0.2, 0.8, width)
        self._steepness = rng.gamma(1.5, 1.0, width)
        self._waves = rng.normal(0.0, 1.5, (width, _WAVES))
        self._phases = rng.uniform(0.0, 2 * math.pi, _WAVES)
        self._bowl = bowl
        self._known = np.sort(self._height(rows))

    def __call__(self, row: NDArray[np.float64]) -> float:
        """Return the value at a vector."""
        return float(np.searchsorted(self._known, self._height(row[None])[0]) / len(self._known))

    def _height(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        bowl = ((rows - self._centre) ** 2 * self._steepness).sum(1)
        waves = np.cos(rows @ self._waves + self._phases).mean(1)
        return np.asarray(self._bowl * bowl + (1 - self._bowl) * waves)


class SyntheticWorld:
    """One world of the family.

    Args:
        kind: The name of its kind.
        number: The number that draws its landscape.
    """

    def __init__(self, kind: str, number: int = 0) -> None:
        self.name = f"{kind}-{number}"
        self.space = SPACE
        self.max_epochs = EPOCHS
        self._kind = KINDS[kind]
        self._number = number
        self._vectors = Vectors(SPACE)
        rng = np.random.default_rng([number, *kind.encode()])
        rows = self._vectors.embed([SPACE.sample(rng) for _ in range(_SAMPLES)])
        self._quality = Landscape(rng, rows, bowl=0.7)
        self._slowness = Landscape(rng, rows, bowl=0.3)
        self._delay = Landscape(rng, rows, bowl=0.3)
        self._risk = Landscape(rng, rows, bowl=0.5)

    def curve(self, config: dict[str, Any], trial: int, seed: int) -> Curve:
        """Return the learning curve of a configuration, with the noise of this trial."""
        kind, rng = self._kind, np.random.default_rng([self._number, seed, trial])
        (row,) = self._vectors.embed([config])
        badness = self._quality(row)
        final = _BEST + (_WORST - _BEST) * badness**1.5
        time_constant = 2.0 + 10.0 * self._slowness(row)
        delay = kind.plateau * ((1 - kind.crossing) * self._delay(row) + kind.crossing * (1 - badness))
        epochs = np.arange(1, EPOCHS + 1)
        falling = np.exp(-np.maximum(epochs - delay, 0.0) / time_constant)
        losses = (final + (_START - final) * falling) * np.exp(rng.normal(0.0, kind.noise, EPOCHS))
        jumps = rng.random(EPOCHS) < kind.spikes
        losses = losses + jumps * rng.exponential(1.0, EPOCHS)
        if self._risk(row) > 1 - kind.divergence:
            losses[min(EPOCHS - 1, int(rng.exponential(12.0))) :] = math.nan
        seconds = 1.0 + 4.0 * (config["units"] / 512) * config["layers"] / 4 + 16 / config["batch_size"]
        return Curve(losses, np.full(EPOCHS, seconds))
