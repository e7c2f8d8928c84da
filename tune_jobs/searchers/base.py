"""The interface of searchers: a frozen declaration, and what it does in one run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from enum import Enum
from typing import Any, ClassVar, Final

from search_spaces import SearchSpace
from search_spaces.checked import Checked

Config = dict[str, Any]


class Waiting(Enum):
    """What is neither a configuration nor the end of them."""

    WAIT = "nothing now: ask again when a trial has reported or ended"


WAIT: Final = Waiting.WAIT


class Search(ABC):
    """A searcher at work in one run. It is told losses: less is better."""

    @abstractmethod
    def propose(self, trial: int) -> Config | Waiting | None:
        """The configuration of a trial; None when there is nothing left to try.

        WAIT when that depends on trials that have not ended: then it is asked again. It must not be said when none
        is left to end, or the run would never.

        Args:
            trial: The trial's number; there is one configuration for each of 0, 1, 2, …
        """

    @abstractmethod
    def remember(self, trial: int, config: Config) -> None:
        """Learns what was tried: called before ``propose``.

        Args:
            trial: 0, 1, 2, …: proposed before the run was resumed. -1, -2, …: tried by another run, and called first;
                what searchers that repeat nothing do not propose again.
            config: Its configuration.
        """

    def report(self, trial: int, epoch: int, loss: float) -> None:  # noqa: B027 - most searchers learn nothing
        """Learns a trial's best loss up to an epoch; it is finite."""

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:  # noqa: B027 - most searchers learn nothing
        """Learns that a trial ended.

        Args:
            trial: The trial's number.
            failed: It raised, diverged or was killed: the worst that can come of a configuration.
            trained_out: More epochs would not have come: it had them all, or stopped itself.
        """


class Searcher(Checked):
    """A searcher as it is declared.

    Attributes:
        NAME: What it is called on the command line and in a run's folder.
        WARM: Whether it may be told of the trials of other runs before its own.
        FORESEEN: Whether its proposals are the same whatever was reported, so that they may be asked for beforehand.
            A subclass that learns from reports must say that it is not so.
    """

    NAME: ClassVar[str]
    WARM: ClassVar[bool] = True
    FORESEEN: ClassVar[bool] = False

    @abstractmethod
    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Begins a run.

        Args:
            space: A valid space.
            seed: Seed of the proposals.
            rungs: Epochs after which the scheduler compares trials, ascending.
            max_epochs: Epochs of a trial that nothing stops.
        """

    def space_problems(self, space: SearchSpace) -> list[str]:  # noqa: ARG002 - for subclasses
        """Why it cannot search this space."""
        return []

    def limit(self, space: SearchSpace) -> int | None:
        """How many different configurations it can propose; None when there is no end."""
        return space.size if isinstance(space.size, int) else None

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON."""
        return {"kind": self.NAME, **asdict(self)}  # type: ignore[call-overload]


def points_problem(points: object) -> str | None:
    """Why a value is not a list of configurations; None when it is."""
    if isinstance(points, list | tuple) and all(isinstance(point, dict) for point in points):
        return None
    return f"The value of `points` is {points!r}, but must be a list of configurations (dictionaries)."


def point_problems(points: Sequence[Config], space: SearchSpace) -> list[str]:
    """Why configurations that a person wants tried first are not in the space."""
    return [f"points[{index}]: {reason}" for index, point in enumerate(points) for reason in space.validate(point)]
