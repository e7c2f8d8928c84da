"""GPU shares: the part of the GPUs that each trial gets, where it is not the same for all.

Shares change in two ways. A trial that ran out of its part of a GPU is tried again with twice as much, at most a whole
GPU. And where nobody has said how much trials need ("auto"), the first trials get a whole GPU each and report the
memory that they used; the others get the part of a GPU in which that fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trainables.devices.gpu_share import is_part, trials_per_gpu
from trainables.report import GpuMemory
from tune_jobs.base.amounts import share_of_one, to_units
from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.experiment.resources import MAX_TRIALS_PER_GPU, OnOom, Resources
from tune_jobs.results import Event, TrialEnded, TrialStarted

MEASURED_TRIALS = 3
"""Number of trials to measure. One could be the smallest in the space; three, plus the safety margin and growing, are
enough."""


@dataclass
class _Active:
    """A trial that was proposed and has not ended."""

    gpus: float
    is_at_work: bool = False


class GpuShares:
    """The GPU shares of a run's trials.

    Args:
        resources: The resources that the experiment declares.
        on_oom: What becomes of a trial that ran out of its share: "fail", or "grow" to try it again with a larger one.
    """

    def __init__(self, resources: Resources, on_oom: OnOom) -> None:
        self._is_auto = resources.gpus == "auto"
        self._can_grow = self._is_auto or on_oom == "grow"
        self._usual = resources.first_gpus
        self._is_settled = not self._is_auto
        self._shares: dict[int, float] = {}
        self._active: dict[int, _Active] = {}
        self._measured: dict[int, GpuMemory] = {}
        self._gpus = 0.0

    def begin(self, gpus: float) -> None:
        """Begin the run with so many GPUs for all trials."""
        self._gpus = gpus

    def replay(self, events: Iterable[Event]) -> None:
        """Learn the shares that trials had before the run was interrupted. None of these trials has a worker now.

        Args:
            events: All events of the run so far.
        """
        for event in events:
            match event:
                case TrialStarted(trial=trial, gpus=float(gpus)):
                    self._shares[trial] = gpus
                    if not self._is_settled and gpus < 1:  # before the usual share was settled, no trial had less
                        self._usual, self._is_settled = gpus, True
                case TrialEnded(trial=trial):
                    self._shares.pop(trial, None)

    def share_of(self, trial: int) -> float:
        """Return the GPUs of a trial."""
        return self._shares.get(trial, self._usual)

    def has_room(self, trial: int) -> bool:
        """Return whether a trial may be proposed now.

        Ray would accept it anyway, and let it wait with its present share, which may soon be another. A trial that
        waits for a larger share comes before others: they would go on dividing the GPU among themselves.
        """
        if not self.can_vary or not self._active:
            return True
        if any(not active.is_at_work and active.gpus > self._usual for active in self._active.values()):
            return False
        if not self._is_auto:
            return True
        taken = sum(to_units(active.gpus) for active in self._active.values())
        return taken + to_units(self.share_of(trial)) <= to_units(self._gpus)

    def record_proposal(self, trial: int) -> None:
        """Record that a trial was given to Ray: its share is fixed until it ends, or begins again."""
        self._shares[trial] = self.share_of(trial)
        self._active[trial] = _Active(self._shares[trial])

    def record_start(self, trial: int) -> None:
        """Record that a worker is at work on a trial."""
        if trial in self._active:
            self._active[trial].is_at_work = True

    def record_stop(self, trial: int) -> None:
        """Record that no worker is at work on a trial any more; the trial may begin again."""
        self._active.pop(trial, None)

    def measure(self, trial: int, memory: GpuMemory) -> str | None:
        """Learn how much memory a trial needs.

        Args:
            trial: The number of the trial.
            memory: The memory of its GPU, as it reported it.

        Returns:
            A sentence if this settles the share of the trials to come; else None.
        """
        if self._is_settled:
            return None
        self._measured[trial] = memory
        if len(self._measured) < MEASURED_TRIALS:
            return None
        peak_bytes = max(measured["peak_bytes"] for measured in self._measured.values())
        total_bytes = min(measured["total_bytes"] for measured in self._measured.values())
        fitting = trials_per_gpu(peak_bytes, total_bytes, MAX_TRIALS_PER_GPU)
        self._usual, self._is_settled = share_of_one(fitting), True
        return (
            f"{MEASURED_TRIALS} trials used at most {peak_bytes / 2**20:,.0f} of {total_bytes / 2**20:,.0f} MiB of a "
            f"GPU: from now on, {fitting} share one ({self._usual:g} each)."
        )

    def grow(self, trial: int, failure: Failure) -> str | None:
        """Give a trial that failed a larger share where that may help.

        Args:
            trial: The number of the trial.
            failure: The reason why it failed.

        Returns:
            A sentence that says so; None where the share stays.
        """
        share = self.share_of(trial)
        if not (self._can_grow and is_part(share) and failure.cause is FailureCause.GPU_MEMORY):
            return None
        self._shares[trial] = larger_share(share)
        return f"it ran out of {share:g} of a GPU, and is tried again with {self._shares[trial]:g}: {failure.text}"

    def own_gpus(self, trial: int) -> float | None:
        """Return the trial's own GPUs, for its configuration; None where all trials of the run have equal shares."""
        return self.share_of(trial) if self.can_vary else None

    @property
    def can_vary(self) -> bool:
        """True if trials of this run can have different shares."""
        return self._can_grow and (self._is_auto or is_part(self._usual))


def larger_share(gpus: float) -> float:
    """Return the next share after a part of a GPU that was too small."""
    return min(1.0, 2 * gpus)
