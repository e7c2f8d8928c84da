"""Which share of the GPUs each trial gets, where it is not the same for all: pure decisions.

Shares change in two ways. A trial that ran out of its part of a GPU is tried again with twice as much, at most a whole
GPU. And where nobody said how much they need ("auto"), the first trials get a whole GPU each and report what they
used; the others get the part of one that this fits in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trainables.devices.gpu_share import is_part, trials_per_gpu
from trainables.report import Report
from tune_jobs.base.amounts import share_of_one, to_units
from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.experiment.resources import MAX_TRIALS_PER_GPU, OnOom, Resources
from tune_jobs.results import Event, TrialEnded, TrialStarted

MEASURED_TRIALS = 3
"""How many trials are measured: one may be the smallest of the space; of three, the margin and growth bear the rest."""


@dataclass
class _Active:
    """A trial that was proposed and has not ended."""

    gpus: float
    is_at_work: bool = False


class GpuShares:
    """The shares of one run's trials.

    Args:
        resources: What was declared.
        on_oom: What becomes of a trial that ran out of its share: it fails, or is tried again with a larger one.
    """

    def __init__(self, resources: Resources, on_oom: OnOom) -> None:
        self._is_auto = resources.gpus == "auto"
        self._grows = self._is_auto or on_oom == "grow"
        self._usual = resources.first_gpus
        self._is_settled = not self._is_auto
        self._of: dict[int, float] = {}
        self._active: dict[int, _Active] = {}
        self._measured: dict[int, tuple[int, int]] = {}
        self._there = 0.0

    def begin(self, gpus: float) -> None:
        """So many GPUs are there for all trials."""
        self._there = gpus

    def replay(self, events: Iterable[Event]) -> None:
        """Learns what trials had before the run was interrupted; those that ran, run no longer."""
        for event in events:
            match event:
                case TrialStarted(trial=trial, gpus=float(gpus)):
                    self._of[trial] = gpus
                    if not self._is_settled and gpus < 1:  # before the others were settled, none had less than one
                        self._usual, self._is_settled = gpus, True
                case TrialEnded(trial=trial):
                    self._of.pop(trial, None)

    def of(self, trial: int) -> float:
        """The GPUs of a trial."""
        return self._of.get(trial, self._usual)

    def has_room(self, trial: int) -> bool:
        """Whether a trial may be proposed now.

        Ray would take it anyway, and let it wait with the share that it has now, which may soon be another. A trial
        that waits for a larger share is let in before others: they would go on dividing the GPU among themselves.
        """
        if not self.vary or not self._active:
            return True
        if any(not active.is_at_work and active.gpus > self._usual for active in self._active.values()):
            return False
        if not self._is_auto:
            return True
        taken = sum(to_units(active.gpus) for active in self._active.values())
        return taken + to_units(self.of(trial)) <= to_units(self._there)

    def proposed(self, trial: int) -> None:
        """A trial was given to Ray: its share is what it is until it ends, or begins again."""
        self._of[trial] = self.of(trial)
        self._active[trial] = _Active(self._of[trial])

    def started(self, trial: int) -> None:
        """A worker is at work on a trial."""
        if trial in self._active:
            self._active[trial].is_at_work = True

    def stopped(self, trial: int) -> None:
        """No worker is at work on a trial any more; it may begin again."""
        self._active.pop(trial, None)

    def measured(self, trial: int, result: Report) -> str | None:
        """Learns what a trial reported of its memory; a sentence when that settles the share of those to come."""
        memory = result.get("gpu_memory")
        if self._is_settled or memory is None:
            return None
        self._measured[trial] = (memory["peak_bytes"], memory["total_bytes"])
        if len(self._measured) < MEASURED_TRIALS:
            return None
        peak_bytes = max(peak for peak, _ in self._measured.values())
        total_bytes = min(total for _, total in self._measured.values())
        fitting = trials_per_gpu(peak_bytes, total_bytes, MAX_TRIALS_PER_GPU)
        self._usual, self._is_settled = share_of_one(fitting), True
        return (
            f"{MEASURED_TRIALS} trials used at most {peak_bytes / 2**20:,.0f} of {total_bytes / 2**20:,.0f} MiB of a "
            f"GPU: from now on, {fitting} share one ({self._usual:g} each)."
        )

    def grow(self, trial: int, failure: Failure) -> str | None:
        """Give a trial that failed a larger share where that may help.

        Returns:
            A sentence that says so; None where the share stays.
        """
        had = self.of(trial)
        if not (self._grows and is_part(had) and failure.cause is FailureCause.GPU_MEMORY):
            return None
        self._of[trial] = larger(had)
        return f"it ran out of {had:g} of a GPU, and is tried again with {self._of[trial]:g}: {failure.text}"

    def own_gpus(self, trial: int) -> float | None:
        """Return the trial's own GPUs, for its configuration; None where all trials of the run have equal shares."""
        return self.of(trial) if self.vary else None

    @property
    def vary(self) -> bool:
        """Whether trials of this run can have different shares."""
        return self._grows and (self._is_auto or is_part(self._usual))


def larger(gpus: float) -> float:
    """The next share after a part of a GPU that was too small."""
    return min(1.0, 2 * gpus)
