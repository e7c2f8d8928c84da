"""The values that a run gives to its trials beside their parameters: settings, control values, and the direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["max", "min"]
"""The direction of an objective: whether a high ("max") or a low ("min") value is better."""

TRIAL_KEY = "__trial__"
GPUS_KEY = "__gpus__"
REPORTED_KEY = "__reported__"
DONOR_KEY = "__donor__"
DRAW_KEY = "__draw__"
"""The number from which plain Ray Tune draws the whole configuration of a space with conditions."""

INACTIVE = "__inactive__"
"""The value that plain Ray Tune has for a parameter that is not active in a configuration."""


def as_loss(value: float, mode: Mode) -> float:
    """Return the value of an objective as a loss: less is better."""
    return -value if mode == "max" else value


def is_better(value: float, other: float, mode: Mode) -> bool:
    """Return whether a value of an objective is better than another one. NaN is never better, and never beaten."""
    return as_loss(value, mode) < as_loss(other, mode)


def spread_of(metric: str) -> str:
    """Return the name of the metric that holds the spread of the objective where a trial is trained several times."""
    return f"{metric}_std"


class InvalidTrainable(ValueError):  # noqa: N818 - it tells of a declaration, not of a failure
    """The trainable itself is wrong, so that every trial would fail alike: the run ends at once.

    Example:
        >>> from trainables import InvalidTrainable
        >>> raise InvalidTrainable("The model is not compiled.")
        Traceback (most recent call last):
        trainables.settings.InvalidTrainable: The model is not compiled.
    """


@dataclass(frozen=True)
class ControlValues:
    """The control values of one trial, from the driver to a worker.

    Ray carries one dictionary per trial, its configuration, so these values travel inside it.

    Attributes:
        trial: The number of the trial.
        reported: How many epochs of the trial were reported before this worker had it.
        gpus: The trial's GPUs, in a run whose trials have different shares of them; else None.
        donor: The trial whose weights this one took over, and the epoch after which it did; None: it never did.
    """

    trial: int = 0
    reported: int = 0
    gpus: float | None = None
    donor: tuple[int, int] | None = None

    def wrap(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration for Ray: the parameters of the trial and these values."""
        config = {**parameters, TRIAL_KEY: self.trial, REPORTED_KEY: self.reported}
        if self.gpus is not None:
            config[GPUS_KEY] = self.gpus
        return self.wrap_donor(config)

    def wrap_donor(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a configuration with the donor beside it, if there is one."""
        return dict(config) if self.donor is None else {**config, DONOR_KEY: list(self.donor)}


def unwrap(config: Mapping[str, Any]) -> tuple[dict[str, Any], ControlValues]:
    """Return the parameters and the control values of a configuration: the inverse of ``ControlValues.wrap``.

    Plain Ray Tune adds no control values: then all have their defaults. What its configurations have beside their
    active parameters is left out.
    """
    parameters = {
        name: value
        for name, value in config.items()
        if name != DRAW_KEY and not (isinstance(value, str) and value == INACTIVE)
    }
    donor = parameters.pop(DONOR_KEY, None)
    control = ControlValues(
        trial=int(parameters.pop(TRIAL_KEY, 0)),
        reported=int(parameters.pop(REPORTED_KEY, 0)),
        gpus=parameters.pop(GPUS_KEY, None),
        donor=None if donor is None else (int(donor[0]), int(donor[1])),
    )
    return parameters, control


@dataclass(frozen=True)
class TrialSettings:
    """The settings that all trials of a run share.

    Attributes:
        metric: The objective's metric, as the model reports it (``val_accuracy``); None when there is no
            objective: then no epoch is better than another and the last weights count as the best.
        mode: Whether a high ("max") or a low ("min") value of the metric is better.
        max_epochs: The number of epochs after which a trial has been trained completely.
        seed: The run's seed; with the trial's number it gives each trial its own random numbers.
        fraction: The part of the training and of the validation examples that trials see, for a worker that opens the
            data itself.
        executions: How many times a trial's configuration is trained, each with its own random numbers; the trial
            reports their means.
        cpus: CPUs of a trial: its TensorFlow uses as many threads.
        gpus: GPUs of a trial; with 0 it sees none, with less than 1 it is held to that part of one's memory. None:
            those that the process sees already.
        measures_gpu: Whether a trial reports how much of its GPU's memory it used.
        folder: The folder, which exists, that holds one folder per trial, or the URI of one; None: nothing is written.
        checkpoint_every_s: Seconds between two checkpoints of a trial, beside those at milestones and at its
            end.
        milestones: Epochs after which a scheduler may stop or pause the trial: its state after them is saved.
        waits_at_milestones: Whether the trial reports such an epoch only when its state is written, so that another
            worker can continue it at once.
        constraints: Constraints on metrics and measurements: see ``trainables.constraints``. An epoch that breaks one
            is better than another only if it breaks them less.
        measures: What the worker measures of each model before it trains it, of ``MEASURES``.
        needed: The metrics that an epoch must report beside ``metric``.

    Example:
        >>> from trainables import TrialSettings
        >>> settings = TrialSettings(metric="val_loss", mode="min", max_epochs=27, milestones=(3, 9))
        >>> settings.executions
        1
    """

    metric: str | None = None
    mode: Mode = "max"
    max_epochs: int = 1_000_000
    seed: int = 0
    fraction: float = 1.0
    executions: int = 1
    cpus: float = 1
    gpus: float | None = None
    measures_gpu: bool = False
    folder: str | None = field(default=None, repr=False)  # a URI may hold credentials
    checkpoint_every_s: float = 60.0
    milestones: tuple[int, ...] = ()
    waits_at_milestones: bool = False
    constraints: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
