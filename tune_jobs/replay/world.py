"""A world: the learning curve of every configuration of a space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace


@dataclass(frozen=True)
class Curve:
    """The learning curve of one configuration.

    Attributes:
        losses: The loss after each epoch; less is better. NaN: the training diverged in this epoch. Shape: (epochs,).
        seconds: The duration of each epoch, in seconds. Shape: (epochs,).
    """

    losses: NDArray[np.float64]
    seconds: NDArray[np.float64]


class World(Protocol):
    """A space whose learning curves are known without training.

    Attributes:
        name: A name for tables.
        space: The space.
        max_epochs: The number of epochs of each curve.
    """

    name: str
    space: SearchSpace
    max_epochs: int

    def curve(self, config: dict[str, Any], trial: int, seed: int) -> Curve:
        """Return the learning curve of a configuration.

        Args:
            config: A configuration of the space.
            trial: The number of the trial, for worlds in which the same configuration trains differently each time.
            seed: The seed of the replay.
        """
