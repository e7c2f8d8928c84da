"""A scheduler as the ``scheduler`` of Ray's ``TuneConfig``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from trainables.report import diverged_metric
from tune_jobs.errors import RequestError
from tune_jobs.plain_ray.losses import BestLosses, check_objective, numbers_of
from tune_jobs.schedulers import Scheduler


class ScheduleForRay(FIFOScheduler):
    """A scheduler of this project that Ray Tune asks after each report: see ``Scheduler.for_ray``.

    Args:
        scheduler: The scheduler.
        max_epochs: The number of reports after which a trial ends.
        seed: The seed of its random numbers.

    Raises:
        RequestError: It pauses trials, or cannot schedule trials of this many reports.
    """

    def __init__(self, scheduler: Scheduler, *, max_epochs: int, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if scheduler.PAUSES:
            raise RequestError(
                f"{type(scheduler).__name__} pauses trials, which it cannot do in plain Ray Tune: take a scheduler "
                "that only stops them, such as ASHA(), or let `tune_jobs.run` do the search."
            )
        if problems := scheduler.epoch_problems(max_epochs):
            raise RequestError(*problems)
        self._max_epochs = max_epochs
        self._schedule = scheduler.start(max_epochs, seed)
        self._numbers: dict[str, int] = {}
        self._best = BestLosses()
        self._mode: str | None = None

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Take the objective of the ``TuneConfig``.

        Raises:
            RequestError: There is no objective.
        """
        check_objective(metric, mode, "a scheduler")
        self._mode = mode
        return bool(super().set_search_properties(metric, mode, **spec))

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Give a trial its number: 0, 1, 2, … in the order in which they come."""
        super().on_trial_add(tune_controller, trial)
        self._numbers.setdefault(trial.trial_id, len(self._numbers))

    def on_trial_result(self, tune_controller: Any, trial: Any, result: Mapping[str, Any]) -> str:  # noqa: ARG002 - Ray's signature
        """Return whether a trial goes on. One that has diverged does not, nor one that has all its reports."""
        number, epoch = self._numbers[trial.trial_id], int(result["training_iteration"])
        loss = self._best.add(number, result, self._metric, self._mode)
        if diverged_metric(numbers_of(result), self._metric) is not None or epoch >= self._max_epochs:
            return str(TrialScheduler.STOP)
        stops = loss is not None and self._schedule.report(number, epoch, loss) is not None
        return str(TrialScheduler.STOP if stops else TrialScheduler.CONTINUE)
