"""How far a run is, and how long it will still take, as far as its progress tells."""

from __future__ import annotations

from tune_jobs.views.progress.progress import Progress

_FEWEST_ENDED = 3
_FEWEST_EPOCHS = 4


def fraction_done(progress: Progress, now_s: float) -> float | None:
    """The used part of the budget that is used up most, in [0, 1]; None before the start or without any.

    Args:
        progress: How the run stands.
        now_s: The time, in unix time.
    """
    plan = progress.plan
    if progress.started_s is None:
        return None
    parts = []
    if plan.trials:
        parts.append(progress.ended_trials / plan.trials)
    if plan.total_epochs:
        parts.append(progress.epochs / plan.total_epochs)
    if plan.time_budget_s:
        parts.append((now_s - progress.started_s) / plan.time_budget_s)
    return min(1.0, max(0.0, *parts)) if parts else None


def seconds_left(progress: Progress, now_s: float) -> float | None:
    """How long the run will still take: until the first of its budgets is used up; None while that is unknown.

    Epochs are counted, not trials: the first trials of a run with early stopping end soon, and say little
    about those that go on. A trial that has not ended is expected to train as many epochs as those that have,
    on average, and one that is already past that, one more.

    Args:
        progress: How the run stands.
        now_s: The time, in unix time.
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
    if progress.first_epoch_s is None or progress.epochs < _FEWEST_EPOCHS:
        return None
    # The time before the first epoch is Ray's and TensorFlow's start, which is not repeated.
    return (now_s - progress.first_epoch_s) / (progress.epochs - 1)


def _trial_epochs_left(progress: Progress) -> float | None:
    trials = progress.plan.trials
    ended = progress.ended_trials
    if trials is None or ended < min(_FEWEST_ENDED, trials):
        return None
    mean = max(1.0, progress.ended_epochs / ended)
    waiting = max(0, trials - ended - len(progress.running))
    most = progress.plan.max_epochs
    running = (min(max(mean - each.epoch, 1.0), max(0, most - each.epoch)) for each in progress.running.values())
    return waiting * mean + sum(running)
