"""The reports of trials: what one step sends to the driver, what an epoch measured, and which epoch is the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Required, TypedDict, cast

from trainables.constraints.constraint import Constraint, total_violation
from trainables.settings import TrialSettings, is_better

if TYPE_CHECKING:  # a journal is read without NumPy, by the same rule of divergence
    import numpy as np


class GpuMemory(TypedDict):
    """The memory of a trial's GPU.

    Attributes:
        peak_bytes: The most that the trial has allocated so far.
        total_bytes: The size of the GPU's memory.
    """

    peak_bytes: int
    total_bytes: int


class MetParameter(TypedDict):
    """A parameter that a trial's own code asked for, and that its configuration did not have.

    Attributes:
        parameter: The parameter as JSON: see ``search_spaces.parameters``.
        value: The value that it had in this trial, and in all trials before it.
        declared: The declaration in the form of the code that asked, for whoever knows that form.
    """

    parameter: Mapping[str, Any]
    value: Any
    declared: Mapping[str, Any]


class Met(TypedDict):
    """The configuration of a trial whose own code asked for other parameters than it was given.

    Attributes:
        config: The configuration that the trial has in truth.
        parameters: Those of its parameters that it was not given, by name.
    """

    config: Mapping[str, Any]
    parameters: Mapping[str, MetParameter]


class Report(TypedDict, total=False):
    """The contract between a worker and the driver: what ``KerasTrainable.step`` returns.

    A report is about an epoch (it has ``epoch``, ``metrics`` and ``seconds``), or about a failure (it has ``mistake``,
    or ``error`` and ``traceback``), or about a trial that is not trained (it has ``refused``). A report about an epoch
    also has every metric at the top level, for plain Ray Tune, unless the metric has the name of one of these keys. Ray
    adds keys of its own.

    Attributes:
        done: True when the trial has nothing left to do.
        epoch: The number of the epoch, counted from 1.
        metrics: Every metric of the model, by Keras's names.
        seconds: The epoch's duration in seconds, validation included.
        batches: The number of training batches, where it was not known beforehand. Else the key is missing.
        mistake: A mistake with which every trial would fail alike, so that the run ends; None in a good epoch.
        error: What this trial's own code raised, on one line; None in a good epoch.
        refused: The constraint that the model breaks before it is trained, so that it is not trained; else the key is
            missing.
        traceback: The traceback of ``error``.
        notes: Pairs of a trial's number and a line about its checkpoints. The trial may be an earlier one of this
            worker. Lines about the data of the run have None for a number, and each trial tells them. The key is
            missing when there are no notes.
        earlier_epochs: Epochs before this one that the driver has not heard of: the trial continues from a checkpoint
            that is newer than the journal. The key is missing when there are none.
        gpu_memory: The memory of the trial's GPU, in a run that measures it.
        met: The configuration that the trial has in truth, if its own code asked for other parameters.
    """

    done: Required[bool]
    epoch: int
    metrics: Mapping[str, float]
    seconds: float
    batches: int
    mistake: str | None
    error: str | None
    refused: str
    traceback: str
    notes: list[tuple[int | None, str]]
    earlier_epochs: Sequence[Epoch]
    gpu_memory: GpuMemory
    met: Met


@dataclass(frozen=True)
class Epoch:
    """The measurements of one epoch.

    Attributes:
        number: The number of the epoch, counted from 1.
        metrics: Every metric of the model, by Keras's names.
        seconds: The epoch's duration in seconds, validation included.
        batches: The number of training batches; None where it was known beforehand.
    """

    number: int
    metrics: Mapping[str, float]
    seconds: float
    batches: int | None = None

    def report(
        self, *, done: bool, gpu_memory: GpuMemory | None = None, earlier_epochs: Sequence[Epoch] = ()
    ) -> Report:
        """Return the report about this epoch."""
        report = Report(
            epoch=self.number,
            metrics=dict(self.metrics),
            seconds=self.seconds,
            mistake=None,
            error=None,
            done=done,
        )
        if self.batches is not None:
            report["batches"] = self.batches
        if gpu_memory is not None:
            report["gpu_memory"] = gpu_memory
        if earlier_epochs:
            report["earlier_epochs"] = earlier_epochs
        metrics = {name: value for name, value in self.metrics.items() if name not in Report.__annotations__}
        return cast(Report, {**metrics, **report})

    def to_json(self) -> dict[str, Any]:
        """Return the epoch as JSON values."""
        counted = {} if self.batches is None else {"batches": self.batches}
        return {"epoch": self.number, "metrics": dict(self.metrics), "seconds": self.seconds, **counted}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Epoch:
        """Make an epoch from what ``to_json`` returned.

        Raises:
            AttributeError, KeyError, TypeError, ValueError: It is damaged.
        """
        metrics = {name: float(value) for name, value in state["metrics"].items()}
        return cls(int(state["epoch"]), metrics, float(state["seconds"]), state.get("batches"))


@dataclass(frozen=True)
class Best:
    """The best epoch so far.

    Attributes:
        epoch: The epoch with the best objective (the earliest of equals); None before there is one.
        value: The objective there; None where there is no objective.
        weights: The weights that the model had then.
        violation: How far the epoch is from keeping the constraints; 0 if it keeps all, or there are none.
    """

    epoch: int | None = None
    value: float | None = None
    weights: Sequence[np.ndarray] = ()
    violation: float = 0.0

    def after(self, epoch: Epoch, settings: TrialSettings, weights: Callable[[], list[np.ndarray]]) -> Best:
        """Return the best epoch after one more epoch: that epoch, or still this one.

        Args:
            epoch: The epoch that was just trained.
            settings: The settings of the trial, with the objective.
            weights: Returns the model's weights; called only if the epoch is the best.
        """
        value = None if settings.metric is None else epoch.metrics[settings.metric]
        violation = total_violation(map(Constraint, settings.constraints), epoch.metrics)
        if value is not None:
            if not has_objective(epoch.metrics, settings.metric):
                return self
            is_as_near = violation == self.violation
            if self.value is not None and not (
                violation < self.violation or (is_as_near and is_better(value, self.value, settings.mode))
            ):
                return self
        return Best(epoch.number, value, weights(), violation)

    def to_json(self) -> dict[str, Any]:
        """Return all but the weights as JSON values."""
        broken = {"best_violation": self.violation} if self.violation else {}
        return {"best_epoch": self.epoch, "best_value": self.value, **broken}


def left_out(kind: type[Any], what: str, call: str) -> Report:
    """Return the report about a method of ours that the user's class overrides, and that did not do its work.

    Args:
        kind: The class.
        what: The method, and what it did.
        call: The call of the method, with its arguments.
    """
    remedy = f"leave the method out, or let it return super().{call}"
    return Report(done=True, mistake=f"{kind.__name__}.{what}: {remedy}.")


def diverged_metric(metrics: Mapping[str, float], objective: str | None) -> str | None:
    """Return the metric by which an epoch has diverged, or None if it has not.

    An epoch has diverged when its training loss is NaN or infinite. It also has when its objective is NaN or infinite
    and nothing shows that the model is sound: a reported loss (``val_loss``, ``decoder_loss``) is not finite either, or
    no loss is reported at all. The objective may be such a loss itself.

    An objective that is not finite beside finite losses has no value yet, as a precision before the first positive
    prediction: the trial goes on. Other metrics do not tell: a network whose weights are NaN still has an argmax, so
    its accuracy is finite.

    Args:
        metrics: The metrics of the epoch, by name.
        objective: The name of the objective's metric; None when there is no objective.
    """
    if objective is not None and not math.isfinite(metrics.get(objective, 0.0)):
        losses = [value for name, value in metrics.items() if name == "loss" or name.endswith("_loss")]
        if not losses or not all(map(math.isfinite, losses)):
            return objective
    return None if math.isfinite(metrics.get("loss", 0.0)) else "loss"


def has_objective(metrics: Mapping[str, float], objective: str | None) -> bool:
    """Return whether an epoch has a value of the objective that counts: it is finite, and the epoch has not diverged.

    Args:
        metrics: The metrics of the epoch, by name.
        objective: The name of the objective's metric; None when there is no objective.
    """
    value = math.nan if objective is None else metrics.get(objective, math.nan)
    return math.isfinite(value) and math.isfinite(metrics.get("loss", 0.0))
