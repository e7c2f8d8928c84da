"""What a run tells each of its trials, beside the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TRIAL_KEY = "__trial__"
"""The key of a Ray Tune configuration under which a trial finds its number."""

GPUS_KEY = "__gpus__"
"""The key beside it under which a trial finds its GPUs, in a run whose trials have different shares of them."""

REPORTED_KEY = "__reported__"
"""The key beside it under which a trial finds how many of its epochs were reported before this worker had it."""


def spread_of(metric: str) -> str:
    """The metric by which a trial that is trained several times reports the spread of its objective."""
    return f"{metric}_std"


class InvalidTrainable(ValueError):  # noqa: N818 - it tells of a declaration, not of a failure
    """The trainable itself is wrong, so that every trial would fail alike: the run ends at once."""


@dataclass(frozen=True)
class TrialSettings:
    """What holds for every trial of a run.

    Attributes:
        metric: The objective's metric, as the model reports it (``val_accuracy``); None when there is no
            objective: then no epoch is better than another and the last weights count as the best.
        mode: Whether a high ("max") or a low ("min") value of the metric is better.
        max_epochs: How many epochs a trial is trained at most.
        seed: The run's seed; with the trial's number it gives each trial its own random numbers.
        executions: How many times a trial's configuration is trained, each with its own random numbers; the trial
            reports their means.
        cpus: CPUs of a trial: its TensorFlow uses as many threads.
        gpus: GPUs of a trial; with 0 it sees none, with less than 1 it is held to that part of one's memory. None:
            those that the process sees already.
        measures_gpu: Whether it reports how much of its GPU's memory it used.
        folder: The folder, which exists, that holds one folder per trial, or the URI of one; None: nothing is written.
        checkpoint_every_s: Seconds between two checkpoints of a trial, beside those at milestones and at its
            end.
        milestones: Epochs after which a scheduler may stop the trial: its state after them is saved.
    """

    metric: str | None = None
    mode: Literal["max", "min"] = "max"
    max_epochs: int = 1_000_000
    seed: int = 0
    executions: int = 1
    cpus: float = 1
    gpus: float | None = None
    measures_gpu: bool = False
    folder: str | None = field(default=None, repr=False)  # a URI may hold credentials
    checkpoint_every_s: float = 60.0
    milestones: tuple[int, ...] = ()
