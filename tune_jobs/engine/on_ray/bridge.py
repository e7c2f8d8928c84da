"""Where Ray Tune asks and the coordinator answers: a searcher, a stopper and a callback without a mind of their own.

Ray's scheduler stays first-in-first-out: whether a trial goes on is decided in the stopper, which Ray asks first of
all for every result, and which it cannot restore without its state.
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
from tune_jobs.engine.on_ray.internals.controller import ControllerPatches, lighten
from tune_jobs.engine.on_ray.internals.trial import LeanTrial, LeanTrials, number_of
from tune_jobs.engine.on_ray.nodes import ActorHosts
from tune_jobs.searchers import WAIT


class _Bridge:
    """What all three have: the coordinator, which stays in this process.

    Ray pickles the parts of a run to restore it from them. That is never done here, so nothing of them is pickled.
    """

    _coordinator: Coordinator

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class ProposingSearcher(_Bridge, SearchAlgorithm):
    """Hands the coordinator's proposals to Ray.

    Args:
        coordinator: What decides.
        room: How many trials may be with Ray now: see ``Room``.
    """

    def __init__(self, coordinator: Coordinator, room: Callable[[], int]) -> None:
        self._coordinator = coordinator
        self._room = room
        self._trials: LeanTrials | None = None
        self._with_ray: set[str] = set()

    def add_configurations(self, experiments: Any) -> None:
        """Ray says what the trials are of."""
        (declared,) = experiments
        self._trials = LeanTrials(declared.spec)

    def next_trial(self) -> LeanTrial | None:
        """The next trial; None: Ray asks again after its next event, or in 0.1 s, unless there will be no other."""
        if self._finished or (len(self._with_ray) >= self._room() and not self._coordinator.over):
            return None
        proposal = self._coordinator.propose()
        if proposal is None:
            # A worker that dies gives its trial back, so Ray must go on asking until all of them have ended.
            self._finished = self._coordinator.idle
            return None
        if proposal is WAIT or self._trials is None:
            return None
        number, config = proposal
        gpus = self._coordinator.shares.own_gpus(number)
        control = ControlValues(number, self._coordinator.reported(number), gpus)
        trial = self._trials.make(number, control.wrap(config))
        self._with_ray.add(trial.trial_id)
        return trial

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:  # noqa: ARG002
        """There is room for another; of the result the coordinator knew first."""
        self._with_ray.discard(trial_id)


class WorkerKeeper(_Bridge, FIFOScheduler):
    """Keeps the workers that have nothing to do while the next proposals wait for a trial's end.

    Ray keeps one of them, and ends the others with imports that took seconds. How many it keeps, it counts in a cache
    that has no public name (ray 2.60: tune_controller.py, _maybe_cache_trial_actor); without it, all is only slower.
    """

    def __init__(self, searcher: ProposingSearcher, most: Callable[[], int]) -> None:
        FIFOScheduler.__init__(self)  # type: ignore[no-untyped-call]
        self._searcher = searcher
        self._most = most
        self._kept = 0
        self._upkeep = ControllerPatches()

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:  # noqa: ARG002
        """A trial was proposed."""
        self._upkeep.added(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> None:  # noqa: ARG002
        """No trial before its turn: Ray starts those that wait in their order.

        Ray's own choice walks over all trials of the run at every event. It is also one whose worker is still being
        started, and gives it the worker that has just become free: the one being started ends, another is started
        for the next trial, and where trials are shorter than the imports, there is never more than one at work.
        """
        self._upkeep.forget_ended()

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """A worker died."""
        self._upkeep.ends(tune_controller, trial)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:  # noqa: ARG002
        """A worker is about to have nothing to do: it is kept for as long as another trial may come."""
        kept = 0 if self._searcher.is_finished() else self._most()
        cache = getattr(tune_controller, "_actor_cache", None)
        if cache is not None:
            cache.increase_max(trial.placement_group_factory, kept - self._kept)
            self._kept = kept
        self._upkeep.ends(tune_controller, trial)


class DecidingStopper(_Bridge, Stopper):
    """Hands every result to the coordinator, and its decisions to Ray."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether the trial ends."""
        return self._coordinator.report(number_of(trial_id), cast(Report, result))

    def stop_all(self) -> bool:
        """Whether the run ends."""
        return self._coordinator.over


class TellingCallback(_Bridge, Callback):
    """Tells the coordinator what happens to the workers of trials."""

    def __init__(self, coordinator: Coordinator) -> None:
        self._coordinator = coordinator
        self._places = ActorHosts()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """A worker is ready for the trial."""
        node = self._places.of(trial.temporary_state.ray_actor)
        self._coordinator.started(trial.number, node)

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: Any, **info: Any) -> None:  # noqa: ARG002
        """The coordinator knows the result by now; callbacks may change what Ray keeps of it."""
        lighten(result)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """Tell the coordinator that a worker died. To Ray, the trial is over."""
        self._coordinator.crashed(trial.number, trial.death)

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:  # noqa: ARG002
        """Ends the workers of trials that hang; Ray finds them dead, and says so."""
        for number in self._coordinator.silent():
            for trial in trials:
                actor = trial.temporary_state.ray_actor
                if trial.number == number and actor is not None:
                    ray.kill(actor)
