"""Ask and tell: a search whose trials are trained by code of the user's own, in a loop of its own.

There is neither Ray nor Keras in it. The coordinator decides, and the journal is kept, as in any run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from search_spaces.messages import short_repr
from search_spaces.space import Config
from trainables import Data, KerasTrainable
from trainables.report import Epoch
from tune_jobs.base.clock import SteadyClock
from tune_jobs.base.rules import count_problem
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.retention import RetentionPolicy
from tune_jobs.engine.run_folder.recorder import CheckpointPruner, Recorder
from tune_jobs.engine.run_folder.warm_start_file import read_lessons
from tune_jobs.engine.run_folder.working_folder import locked
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, coherent
from tune_jobs.results.layout import TRIALS_FOLDER
from tune_jobs.results.run import Run


class TrainedByHand(KerasTrainable):
    """The trainable of a study: the user's own loop trains, so nothing here can."""

    def build_model(self, config: dict[str, Any]) -> Any:
        """Refuse: nobody has said how a model is built."""
        raise NotImplementedError("A study is trained by code of its own: it cannot be run.")

    def load_data(self) -> Data:
        """Refuse: nobody has said where the data is."""
        raise NotImplementedError("A study is trained by code of its own: it cannot be run.")


@dataclass
class OpenTrial:
    """A trial that is to be trained: a configuration, and what is known of it.

    Attributes:
        number: The trial's number, from 0.
        config: The configuration.
        epochs: The number of epochs that were observed, also before the study was resumed.
    """

    number: int
    config: Config
    epochs: int = 0


class Study:
    """A search that is asked for configurations, and told what came of them. ``tune_jobs.ask_tell`` makes one.

    Everything is in the journal of the run's folder before it is believed. A study whose process died, or that was
    closed, goes on when ``ask_tell`` is called again with its name.

    Args:
        folder: The run's folder.
        experiment: The experiment, with the budgets that hold from now on.

    Attributes:
        run: The run, with its leaderboard and learning curves.

    Example:
        >>> import tune_jobs
        >>> from search_spaces import Choice, SearchSpace
        >>> from tune_jobs import Grid, Objective
        >>> space = SearchSpace(x=Choice(1, 2, 3))
        >>> study = tune_jobs.ask_tell(space, Objective("loss", "min"), name="by-hand", searcher=Grid(), max_epochs=5)
        >>> trial = study.propose()
        >>> trial
        OpenTrial(number=0, config={'x': 1}, epochs=0)
        >>> study.observe(trial, 0.5), study.observe(trial, {"loss": 0.4, "seconds": 3})
        (True, True)
        >>> study.end(trial)
        >>> study.close()
    """

    def __init__(self, folder: Path, experiment: Experiment) -> None:
        self.run = Run(folder)
        self._experiment = experiment
        self._open: dict[int, OpenTrial] = {}
        self._clock = SteadyClock()
        self._is_finished = False
        with ExitStack() as stack:
            stack.enter_context(locked(folder))
            events = list(coherent(self.run.events()))
            reported = [event for event in events if isinstance(event, EpochReported)]
            self._last = {event.trial: Epoch(event.epoch, event.metrics, event.seconds) for event in reported}
            self._since_s: dict[int, float] = {}
            policy = RetentionPolicy(experiment.keep, experiment.goal, lag=1)
            recorder = Recorder(folder, None, CheckpointPruner(policy, folder / TRIALS_FOLDER))
            stack.callback(recorder.close)
            self._coordinator = Coordinator(experiment, recorder, self._clock, read_lessons(folder))
            self._coordinator.replay(events)
            self._coordinator.begin(cpus=1, gpus=0, max_concurrent_trials=experiment.max_concurrent_trials or 1)
            self._held = stack.pop_all()

    def propose(self) -> OpenTrial | None:
        """Return the next trial to train: an interrupted one first, else a new one.

        Returns:
            The trial. None if there is none now: all budgets are used, nothing is left to try, or the next
            configuration depends on trials that have not ended.

        Raises:
            RunFailed: Several trials in a row failed with the same error, all configurations broke a constraint, or the
                journal cannot be written.
        """
        if self._is_finished:
            return None
        self._refuse_failure()
        proposal = self._coordinator.propose()
        if isinstance(proposal, tuple):
            number, config = proposal
            epochs = self._coordinator.reported_epochs(number)
            trial = self._open[number] = OpenTrial(number, config, epochs)
            self._since_s[number] = self._clock()
            self._coordinator.start(number, "")
            return trial
        if self._coordinator.is_over or not self._open:
            self._finish()
            self._refuse_failure()
        return None

    def observe(self, trial: OpenTrial | int, result: float | Mapping[str, float], *, epoch: int | None = None) -> bool:
        """Take in the result of a trial's next epoch, and decide whether the trial goes on.

        Args:
            trial: The trial, or its number.
            result: The objective, or metrics by name, the objective's among them. A loss that is NaN ends the trial.
            epoch: The number of the epoch, from 1, if it is not the next one: a trial that was interrupted may begin
                again. Epochs that were observed before are not judged again.

        Returns:
            True if the trial is to train another epoch. False if it has ended: the scheduler stopped it, it diverged,
            or it has all its epochs.

        Raises:
            RequestError: The trial is not open, or the result is not a number.
        """
        running = self._of(trial)
        metrics = self._metrics(result)
        number = running.epochs + 1 if epoch is None else epoch
        if problem := count_problem("epoch", number):
            raise RequestError(problem)
        if number > running.epochs + 1:
            raise RequestError(
                f"The value of `epoch` is {number}, but trial {running.number} has {running.epochs} epochs: observe "
                f"epoch {running.epochs + 1} next."
            )
        now_s = self._clock()
        observed = Epoch(number, metrics, max(now_s - self._since_s[running.number], 0.0))
        self._since_s[running.number], self._last[running.number] = now_s, observed
        running.epochs = max(number, running.epochs)
        return self._tell(running, observed.report(done=number >= self._experiment.max_epochs))

    def end(self, trial: OpenTrial | int, *, error: str | None = None) -> None:
        """End a trial before it has all its epochs. It counts with its best epoch, unless it failed.

        Args:
            trial: The trial, or its number.
            error: The error with which it failed; None: it has nothing more to learn.

        Raises:
            RequestError: The trial is not open.
        """
        running = self._of(trial)
        if error is None and running.number in self._last:
            self._tell(running, self._last[running.number].report(done=True))
        else:
            self._tell(running, {"done": True, "error": error or "The trial ended before anything was observed."})

    def close(self) -> None:
        """Close the journal. Trials that have not ended are proposed again when the study goes on."""
        if not self._is_finished:
            self._coordinator.interrupt()
            self._finish()

    def __iter__(self) -> Iterator[OpenTrial]:
        while (trial := self.propose()) is not None:
            yield trial
            if trial.number in self._open:
                self.end(trial)

    def __enter__(self) -> Study:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Study({str(self.run.folder)!r})"

    def _of(self, trial: OpenTrial | int) -> OpenTrial:
        number = trial.number if isinstance(trial, OpenTrial) else trial
        if number not in self._open:
            raise RequestError(
                f"Trial {number!r} is not open: propose() has not returned it, it has ended, or the study is closed."
            )
        return self._open[number]

    def _metrics(self, result: float | Mapping[str, float]) -> dict[str, float]:
        metric = self._experiment.objective.metric
        given = result if isinstance(result, Mapping) else {metric: result}
        try:
            metrics = {str(name): float(value) for name, value in given.items()}
        except (TypeError, ValueError) as error:
            raise RequestError(
                f"The result is {short_repr(result)}, but must be a number, or a dictionary of numbers."
            ) from error
        if metric not in metrics:
            raise RequestError(f"The result has no {metric!r}, which is the objective: it has {', '.join(metrics)}.")
        if lacking := self._experiment.required_metrics - metrics.keys():
            named = ", ".join(sorted(lacking))
            raise RequestError(f"The result has no {named}, which an objective or a constraint names.")
        return metrics

    def _tell(self, running: OpenTrial, report: Any) -> bool:
        ended = self._coordinator.report(running.number, report)
        if ended:
            self._open.pop(running.number, None)
            self._last.pop(running.number, None)
        return not ended

    def _refuse_failure(self) -> None:
        if self._coordinator.failure is not None:
            if not self._is_finished:
                self._finish()
            raise RunFailed(f"{self._coordinator.failure} The run: {self.run.folder}", self.run.folder)

    def _finish(self) -> None:
        self._is_finished = True
        self._open.clear()
        self._coordinator.finish()
        self._held.close()
