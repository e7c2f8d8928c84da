"""The printed forms of a search: its progress, its space and its results, in KerasTuner's words."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import Any, TextIO

from trainables.report import has_objective
from tune_jobs.base.objective import Objective as MetricObjective
from tune_jobs.engine import Plan
from tune_jobs.keras_tuner.oracle import Oracle
from tune_jobs.keras_tuner.trial import Trial
from tune_jobs.keras_tuner.trials.recipe import MOST_STEPS
from tune_jobs.results import EpochReported, Event, ParametersMet, Status, TrialEnded, TrialStarted, fold

_COLUMN = 18
_QUIET_S = 20.0


class SearchDisplay:
    """A reporter that prints the start and the end of each trial.

    Args:
        oracle: The oracle of the search.
        stream: The output.
        verbose: 0: nothing is printed. 2: each epoch has a line. Otherwise one has if nothing was printed for a
            while.
        on_begin: Called with each trial that starts; None: nothing is.
        on_end: Called with each trial that has ended; None: nothing is.
    """

    def __init__(
        self,
        oracle: Oracle,
        stream: TextIO,
        verbose: Any = 1,
        on_begin: Callable[[Trial], object] | None = None,
        on_end: Callable[[Trial], object] | None = None,
    ) -> None:
        self._oracle = oracle
        self._stream = stream
        self._verbose = verbose
        self._on_begin = on_begin
        self._on_end = on_end
        self._began_s = time.time()
        self._started: dict[int, TrialStarted] = {}
        self._scores: dict[int, float] = {}
        self._best: tuple[float, int] | None = None
        self._written_s = self._began_s
        self._max_epochs = 0

    def begin(self, plan: Plan) -> None:
        """Take in what an earlier session of the search has found."""
        self._max_epochs = plan.max_epochs
        for number, trial in fold(plan.earlier).trials.items():
            best = trial.best(self._objective)
            self._started[number] = TrialStarted(
                time_s=trial.started_s, trial=number, config=trial.config, node=trial.node
            )
            if best is not None:
                self._take(number, best.metrics[self._objective.metric])

    def event(self, event: Event) -> None:
        """Print the start or the end of a trial."""
        match event:
            case TrialStarted():
                self._started[event.trial] = event
                self._write(["", f"Search: Running Trial #{event.trial + 1}", "", *self._table(event.config), ""])
                self._call(self._on_begin, event.trial)
            case ParametersMet():
                self._started[event.trial] = replace(self._started[event.trial], config=event.config)
                if event.parameters:
                    self._write(["", f"New hyperparameters, searched from now on: {', '.join(event.parameters)}", ""])
            case EpochReported():
                if has_objective(event.metrics, self._objective.metric):
                    self._take(event.trial, event.metrics[self._objective.metric])
                if self._verbose == 2 or time.time() - self._written_s >= _QUIET_S:
                    self._write([self._epoch(event)])
            case TrialEnded():
                self._write(self._result(event))
                self._call(self._on_end, event.trial)

    def end(self) -> None:
        """Print nothing more."""

    @property
    def _objective(self) -> MetricObjective:
        return self._oracle.objective.metric_objective

    def _call(self, function: Callable[[Trial], object] | None, trial: int) -> None:
        if function is not None:
            with redirect_stdout(self._stream):  # it is that of the run's log meanwhile
                function(self._oracle.get_trial(self._oracle.identifier(trial)))

    def _take(self, trial: int, value: float) -> None:
        if trial not in self._scores or self._objective.is_better(value, self._scores[trial]):
            self._scores[trial] = value
        if self._best is None or self._objective.is_better(value, self._best[0]):
            self._best = (value, trial)

    def _epoch(self, event: EpochReported) -> str:
        of = f"/{self._max_epochs}" if self._max_epochs < MOST_STEPS else ""
        metrics = "".join(f" - {name}: {value:.4f}" for name, value in event.metrics.items())
        return f"Trial {event.trial + 1}, epoch {event.epoch}{of}: {event.seconds:.0f}s{metrics}"

    def _result(self, event: TrialEnded) -> list[str]:
        started = self._started.get(event.trial)
        took_s = event.time_s - (started.time_s if started else event.time_s)
        name = self._objective.metric
        lines = [f"Trial {event.trial + 1} Complete [{duration(took_s)}]"]
        if event.trial in self._scores:
            lines.append(f"{name}: {self._scores[event.trial]}")
        if event.status not in (Status.COMPLETED, Status.STOPPED):
            lines.append(f"{event.status}: {event.error or event.reason}")
        best = None if self._best is None else self._best[0]
        elapsed = duration(time.time() - self._began_s)
        return [*lines, "", f"Best {name} So Far: {best}", f"Total elapsed time: {elapsed}"]

    def _table(self, config: Mapping[str, Any]) -> list[str]:
        values = self._oracle.found.hyperparameters(config).values
        if not values:
            return ["default configuration"]
        best: Mapping[str, Any] = {}
        if self._best is not None:
            best = self._oracle.found.hyperparameters(self._started[self._best[1]].config).values
        rows = [("Value", "Best Value So Far", "Hyperparameter")]
        for name, value in values.items():
            before = "?" if self._best is None else formatted(best.get(name))
            rows.append((formatted(value), before, name))
        return [f"{value:{_COLUMN}}|{before:{_COLUMN}}|{name}" for value, before, name in rows]

    def _write(self, lines: list[str]) -> None:
        if self._verbose == 0:
            return
        self._written_s = time.time()
        self._stream.write("\n".join(lines) + "\n")
        self._stream.flush()


def formatted(value: Any) -> str:
    """Return a value as the table of a trial shows it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.5g}"
    text = str(value)
    return text if len(text) <= _COLUMN else f"{text[: _COLUMN - 3]}..."


def duration(seconds: float) -> str:
    """Return a duration: ``00h 01m 05s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{f'{days}d ' if days else ''}{hours:02d}h {minutes:02d}m {rest:02d}s"


@contextmanager
def own_output() -> Iterator[TextIO]:
    """Yield the standard output, which stays in place while a run redirects its descriptor into a log.

    In a notebook, the output is no descriptor, and stays in place by itself.
    """
    try:
        has_descriptor = sys.stdout.fileno() == 1
    except (AttributeError, OSError, io.UnsupportedOperation):
        has_descriptor = False
    if not has_descriptor:
        yield sys.stdout
        return
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace") as stream:
        yield stream


def print_space(oracle: Oracle) -> None:
    """Print the space, as ``search_space_summary`` of KerasTuner does."""
    hp = oracle.get_space()
    print("Search space summary")  # noqa: T201 - KerasTuner's method prints, too
    print(f"Default search space size: {len(hp.space)}")  # noqa: T201
    if uncertain := oracle.found.uncertain:
        names = ", ".join(uncertain)
        print(f"Also searched where the model may not ask for it: {names}")  # noqa: T201
    for known in hp.space:
        config = known.get_config()
        print(f"{config.pop('name')} ({type(known).__name__})")  # noqa: T201
        print(config)  # noqa: T201


def print_results(oracle: Oracle, folder: str, count: int) -> None:
    """Print the best trials, as ``results_summary`` of KerasTuner does.

    Args:
        oracle: The oracle.
        folder: The folder of the search.
        count: The number of trials at most.
    """
    print("Results summary")  # noqa: T201
    print(f"Results in {folder}")  # noqa: T201
    print(f"Showing {count} best trials")  # noqa: T201
    print(f"{oracle.objective}")  # noqa: T201
    for trial in oracle.get_best_trials(count):
        print()  # noqa: T201
        trial.summary()
