"""The connection of Ray Tune to the coordinator: a searcher, a scheduler, a stopper and a callback without decisions.

Ray starts trials in the order in which they are proposed. The stopper says whether a trial goes on: Ray asks it first
of all for every result. Ray pickles these objects to restore a run from them; that is never done here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, cast

import ray
from ray.tune import Callback, Stopper
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search.search_algorithm import SearchAlgorithm

from trainables.report import Report
from trainables.settings import ControlValues
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.on_ray.internals.controller import ControllerPatches, keep_what_ray_reads
from tune_jobs.engine.on_ray.internals.trial import LeanTrial, LeanTrials
from tune_jobs.engine.on_ray.nodes import WorkerNodes
from tune_jobs.searchers import WAIT


class _NeverPickled:
    """An object that stays in this process, with the coordinator."""

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class CoordinatorSearcher(_NeverPickled, SearchAlgorithm):
    """Ray's searcher, which hands over the coordinator's proposals.

    Args:
        coordinator: The coordinator of the run.
        free_slots: Returns the number of trials that Ray may have now: see ``FreeSlots``.
    """

    def __init__(self, coordinator: Coordinator, free_slots: Callable[[], int]) -> None:
        self._coordinator = coordinator
        self._free_slots = free_slots
        self._trials: LeanTrials | None = None
        self._with_ray: set[str] = set()
        self._made = 0

    def add_configurations(self, experiments: Any) -> None:
        """Take Ray's declaration of the run."""
        (declared,) = experiments
        self._trials = LeanTrials(declared.spec)

    def next_trial(self) -> LeanTrial | None:
        """Return the next trial. At None, Ray asks again after its next event, or in 0.1 s, until this is finished."""
        if self._finished or (self._is_full() and not self._coordinator.is_over):
            return None
        proposal = self._coordinator.propose()
        if proposal is None:
            # A worker that dies gives its trial back, so Ray must go on asking until all of them have ended.
            self._finished = self._coordinator.is_idle
            return None
        if proposal is WAIT or self._trials is None:
            return None
        number, config = proposal
        gpus = self._coordinator.shares.own_gpus(number)
        control = ControlValues(number, self._coordinator.reported_epochs(number), gpus)
        self._made += 1
        trial = self._trials.make(number, _trial_id(number, self._made), control.wrap(config))
        self._with_ray.add(trial.trial_id)
        return trial

    def _is_full(self) -> bool:
        return len(self._with_ray) >= self._free_slots()

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:  # noqa: ARG002
        """Free the slot of a trial. The result is ignored: the coordinator has already seen it."""
        self._with_ray.discard(trial_id)


class WorkerKeepingScheduler(_NeverPickled, FIFOScheduler):
    """Ray's scheduler, which keeps workers that have nothing to do while a proposal waits for the end of a trial.

    Ray itself keeps one of them. It ends the others, with imports that took seconds.

    Args:
        searcher: The searcher of the run.
        max_workers: Returns the number of workers to keep.
    """

    def __init__(self, searcher: CoordinatorSearcher, max_workers: Callable[[], int]) -> None:
        FIFOScheduler.__init__(self)  # type: ignore[no-untyped-call]
        self._searcher = searcher
        self._max_workers = max_workers
        self._patches = ControllerPatches()

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:  # noqa: ARG002
        """Prepare a trial that was proposed."""
        self._patches.share_resources(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> None:  # noqa: ARG002
        """Choose no trial before its turn: Ray starts those that wait in their order.

        Ray's own choice walks over all trials of the run at every event. It also chooses a trial whose worker is still
        being started, and gives it the worker that has just become free. The one being started ends, another is started
        for the next trial, and where trials are shorter than the imports, never more than one worker trains.
        """
        self._patches.forget_ended()

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Take the death of a worker."""
        self._patches.before_end(tune_controller, trial)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:  # noqa: ARG002
        """Keep the worker of a trial that ends, for as long as another trial may come."""
        count = 0 if self._searcher.is_finished() else self._max_workers()
        self._patches.keep_idle_workers(tune_controller, trial, count)
        self._patches.before_end(tune_controller, trial)


class CoordinatorStopper(_NeverPickled, Stopper):
    """Ray's stopper, which hands every report to the coordinator, and the coordinator's decisions to Ray."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Return whether the trial ends."""
        # What Ray's result holds is the report of ``KerasTrainable.step``, with Ray's own keys beside it.
        return self._coordinator.report(_number_in(trial_id), cast(Report, result))

    def stop_all(self) -> bool:
        """Return whether the run ends."""
        return self._coordinator.is_over


class CoordinatorCallback(_NeverPickled, Callback):
    """Ray's callback, which tells the coordinator about the workers of trials."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._nodes = WorkerNodes()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """Report that a worker is ready for a trial."""
        self._coordinator.start(trial.number, self._nodes.name(trial.worker))

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: Any, **info: Any) -> None:  # noqa: ARG002
        """Reduce the result, which the coordinator has seen. Callbacks may change what Ray keeps of it."""
        keep_what_ray_reads(result)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """Report that a worker died. To Ray, the trial is over."""
        self._coordinator.lose_worker(trial.number, trial.death)

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:  # noqa: ARG002
        """End the workers of trials that hang. Ray finds them dead, and reports that."""
        for number in self._coordinator.hanging_trials():
            for trial in trials:
                if trial.number == number and trial.worker is not None:
                    ray.kill(trial.worker)


def _trial_id(number: int, made: int) -> str:
    """Return Ray's name for a trial. A trial that comes back after its worker died is another trial to Ray."""
    return f"{number}-{made}"


def _number_in(trial_id: str) -> int:
    return int(trial_id.partition("-")[0])
