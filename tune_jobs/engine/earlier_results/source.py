"""A source of a warm start as users declare it, and what is read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from search_spaces.checked import Checked
from search_spaces.messages import short_repr
from tune_jobs.results import Status
from tune_jobs.results.run import Run

Outside = Literal["drop", "clamp"]
_OUTSIDE: tuple[Outside, ...] = ("drop", "clamp")


@dataclass(frozen=True)
class WarmStart(Checked):
    """A source of earlier results, and how they are taken into a space that may be another one.

    Attributes:
        source: A run, or its folder or URI; a table of results, as the name of a CSV file or as a DataFrame, such as a
            leaderboard; the folder of a search of KerasTuner; or the URL of a storage of Optuna, such as
            ``sqlite:///study.db``, to which ``#NAME`` may add the study.
        study: The name of the study of Optuna; None: that of the URL, or the only one of the storage.
        metric: The name that the objective has in the source; None: that of the experiment's objective.
        values: The values that parameters had which the source does not name. Others of this kind are drawn at random,
            so that the model finds out that they say nothing.
        outside: The treatment of numbers outside the range that a parameter has now. "drop": the result is left out.
            "clamp": the number is moved to the end of the range.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from tune_jobs import WarmStart
        >>> WarmStart("runs/first", values={"dropout": 0.0}, outside="clamp").outside
        'clamp'
        >>> WarmStart("results.csv", outside="ignore")
        Traceback (most recent call last):
        search_spaces.checked.InvalidDeclaration: The value of `outside` is 'ignore', but must be 'drop' or 'clamp'.
    """

    source: Any
    study: str | None = None
    metric: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    outside: Outside = "drop"

    def problems(self) -> list[str]:
        """Return every mistake in the arguments, a sentence each."""
        problems = []
        if not isinstance(self.source, str | Path | Run) and not is_frame(self.source):
            problems.append(
                f"The value of `source` is {short_repr(self.source)}, but must be a run, a path, a URL or a DataFrame."
            )
        for name, value in (("study", self.study), ("metric", self.metric)):
            if value is not None and (not isinstance(value, str) or not value):
                problems.append(f"The value of `{name}` is {short_repr(value)}, but must be a name.")
        if not isinstance(self.values, Mapping) or not all(isinstance(name, str) for name in self.values):
            problems.append(
                f"The value of `values` is {short_repr(self.values)}, but must be a dictionary by parameter."
            )
        if not isinstance(self.outside, str) or self.outside not in _OUTSIDE:
            problems.append(f"The value of `outside` is {short_repr(self.outside)}, but must be 'drop' or 'clamp'.")
        return problems


Source = Run | Path | str | WarmStart
"""The type of a source in a list of them, apart from a DataFrame."""


def is_frame(source: object) -> bool:
    """Return whether an object is a DataFrame, without importing pandas."""
    return any(kind.__module__.partition(".")[0] == "pandas" for kind in type(source).__mro__) and hasattr(
        source, "columns"
    )


@dataclass(frozen=True)
class EarlierResult:
    """One result of an earlier search.

    Attributes:
        number: Its number there.
        values: The values of the parameters by label, such as ``units_1`` for an element of a list. They may be texts.
        objective_by_epoch: The objective by epoch, from 1, as the source has it; finite values only.
        status: The status with which it ended; RUNNING if it has not.
        reason: The reason of its end, in words.
        metrics_by_epoch: Further metrics by epoch, for an experiment with constraints or several objectives.
    """

    number: int
    values: Mapping[str, Any]
    objective_by_epoch: Mapping[int, float]
    status: Status
    reason: str = ""
    metrics_by_epoch: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class EarlierSearch:
    """The results that an earlier search has left.

    Attributes:
        name: Its name for people.
        results: Its results, in its order.
        parameters: The names that its parameters have, as far as the source tells them from other columns.
        max_epochs: The most epochs of a result; None if the source does not tell.
        has_epochs: False if the objective is known at the end of a result only, so that its epoch is that of a rung.
    """

    name: str
    results: Sequence[EarlierResult]
    parameters: frozenset[str] = frozenset()
    max_epochs: int | None = None
    has_epochs: bool = True


def labelled(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a configuration by label; an element of a list has its index in its label.

    Example:
        >>> from tune_jobs.engine.earlier_results.source import labelled
        >>> labelled({"units": [32, 64], "rate": 0.1})
        {'units': [32, 64], 'units_0': 32, 'units_1': 64, 'rate': 0.1}
    """
    values: dict[str, Any] = {}

    def add(label: str, value: Any) -> None:
        values[label] = value
        if isinstance(value, list | tuple):
            for index, element in enumerate(value):
                add(f"{label}_{index}", element)

    for name, value in config.items():
        add(name, value)
    return values
