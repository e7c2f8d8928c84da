"""The used part of the budget, and the time that a run will still take."""

from __future__ import annotations

from tune_jobs.results import Status
from tune_jobs.views.progress.progress import Progress

_FEWEST_ENDED = 3
_FEWEST_EPOCHS = 4


def fraction_done(progress: Progress, now_s: float) -> float | None:
    """Return the used part of the budget, in [0, 1].

    If a run has several budgets, the one that is closest to its end counts.

    Args:
        progress: The state of the run.
        now_s: The time, in unix seconds.

    Returns:
        None before the start, and for a run without any budget.
    """
    plan = progress.plan
    if progress.started_s is None:
        return None
    parts = []
    if plan.trials:
        parts.append(_left_trials(progress) / plan.trials)
    if plan.total_epochs:
        parts.append(progress.epochs / plan.total_epochs)
    if plan.time_budget_s:
        parts.append((now_s - progress.started_s) / plan.time_budget_s)
    return min(1.0, max(0.0, *parts)) if parts else None


def seconds_left(progress: Progress, now_s: float) -> float | None:
    """Return the seconds until the first budget of the run is used up.

    Epochs are counted, not trials: with early stopping the first trials end soon, and say little about those that go
    on. A trial that has not ended is expected to train as many epochs as the ended ones did on average. A trial that
    is already past that is expected to train one more. A paused trial counts as ended: most are never promoted.

    Args:
        progress: The state of the run.
        now_s: The time, in unix seconds.

    Returns:
        None while it is unknown.
    """
    plan = progress.plan
    if progress.started_s is None or progress.reason is not None:
        return None
    bounds = []
    if plan.time_budget_s is not None:
        bounds.append(plan.time_budget_s - (now_s - progress.started_s))
    pace = _seconds_per_epoch(progress, now_s)
    if pace is not None and plan.total_epochs is not None:
        bounds.append(pace * (plan.total_epochs - progress.epochs))
    if pace is not None and (left := _trial_epochs_left(progress)) is not None:
        bounds.append(pace * left)
    return max(0.0, min(bounds)) if bounds else None


def _seconds_per_epoch(progress: Progress, now_s: float) -> float | None:
    epochs = progress.epochs - progress.earlier_epochs
    if progress.first_epoch_s is None or epochs < _FEWEST_EPOCHS:
        return None
    # The time before the first epoch is Ray's and TensorFlow's start, which is not repeated.
    return (now_s - progress.first_epoch_s) / (epochs - 1)


def _trial_epochs_left(progress: Progress) -> float | None:
    trials = progress.plan.trials
    left = _left_trials(progress)
    if trials is None or left < min(_FEWEST_ENDED, trials):
        return None
    paused_epochs = sum(trial.epoch for trial in progress.paused.values())
    mean = max(1.0, (progress.ended_epochs + paused_epochs) / left)
    waiting = max(0, trials - left - len(progress.running))
    most = progress.plan.max_epochs
    running = (min(max(mean - trial.epoch, 1.0), max(0, most - trial.epoch)) for trial in progress.running.values())
    return waiting * mean + sum(running)


def _left_trials(progress: Progress) -> int:
    """Return the number of trials that have ended or are paused, without those that were refused."""
    return progress.ended_trials - progress.ended.get(Status.REFUSED, 0) + len(progress.paused)
