"""What Ray's controller is made to forget, so that the thousandth trial costs what the first did."""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray import tune
from ray.air.execution._internal import actor_manager
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.exceptions import ActorDiedError, OutOfMemoryError, RayActorError
from ray.tune.execution.tune_controller import TuneController
from ray.tune.utils.object_cache import _ObjectCache

from tests.support.fakes import experiment
from tests.support.simulated_ray import SimulatedRun, Workers
from tune_jobs.engine.on_ray.bridge import WorkerKeepingScheduler
from tune_jobs.engine.on_ray.internals import controller as patches
from tune_jobs.engine.on_ray.internals.controller import (
    ControllerPatches,
    keep_what_ray_reads,
    oom_kills_count_as_deaths,
)
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Random


class Trial:
    """A trial of Ray's, as far as it is looked at."""

    def __init__(self, number: int) -> None:
        self.trial_id = str(number)
        self.placement_group_factory = tune.PlacementGroupFactory([{"CPU": 1.0 + number % 2}])
        self.ended = False

    def is_finished(self) -> bool:
        return self.ended


class Controller:
    """What Ray's controller remembers."""

    def __init__(self) -> None:
        self._trials: list[Trial] = []
        self._live_trials: set[Trial] = set()
        self._stopped_trials: set[Trial] = set()
        self._failed_trials: set[Trial] = set()
        self._trials_to_cache: set[Trial] = set()
        self._trial_metadata: dict[str, str] = {}
        self._trial_to_actor: dict[Trial, object] = {}

    def get_trials(self) -> list[Trial]:
        return self._trials

    def begin(self, number: int) -> Trial:
        trial = Trial(number)
        self._trials.append(trial)
        self._trial_metadata[trial.trial_id] = "{}"
        self._trial_to_actor[trial] = object()
        for known in (self._live_trials, self._trials_to_cache):
            known.add(trial)
        return trial

    def end(self, trial: Trial) -> None:
        trial.ended = True
        del self._trial_to_actor[trial]
        self._stopped_trials.add(trial)

    def known(self) -> int:
        return sum(len(value) for value in vars(self).values())


def test_of_a_thousand_trials_those_that_run_are_remembered() -> None:
    controller, kept = Controller(), ControllerPatches()
    running: list[Trial] = []
    for number in range(1000):
        running.append(controller.begin(number))
        if len(running) == 3:
            trial = running.pop(0)
            kept.before_end(controller, trial)
            kept.forget_ended()  # it ends only now, and nothing of it may be missing until then
            assert trial in controller.get_trials()
            controller.end(trial)
            kept.forget_ended()
        assert controller.known() <= 5 * 3
    assert controller.get_trials() == running


def test_trials_of_equal_resources_share_them() -> None:
    kept, trials = ControllerPatches(), [Trial(number) for number in range(6)]
    for trial in trials:
        kept.share_resources(trial)
    assert len({id(trial.placement_group_factory) for trial in trials}) == 2
    assert all(
        trial.placement_group_factory == Trial(number).placement_group_factory for number, trial in enumerate(trials)
    )


def test_what_ray_reads_of_a_result_is_left() -> None:
    result = {
        "trial_id": "1",
        "done": True,
        "training_iteration": 3,
        "val_loss": 0.1,
        "metrics": {},
        "config": {"a": 1},
    }
    keep_what_ray_reads(result)
    assert result == {"trial_id": "1", "done": True, "training_iteration": 3}


def test_no_event_walks_over_the_trials() -> None:
    def refused() -> list[Any]:
        raise AssertionError("all trials of the run were asked for")

    scheduler = WorkerKeepingScheduler(SimpleNamespace(is_finished=lambda: False), lambda: 2)  # type: ignore[arg-type]
    assert scheduler.choose_trial_to_run(SimpleNamespace(get_trials=refused)) is None


def test_a_snapshot_is_written_when_it_must_be_only() -> None:
    written = []
    controller, kept = Controller(), ControllerPatches()
    controller.checkpoint = lambda **asked: written.append(asked)  # type: ignore[attr-defined]
    for number in range(3):
        kept.before_end(controller, controller.begin(number))
        controller.checkpoint()  # type: ignore[attr-defined]
    assert written == []
    controller.checkpoint(force=True, wait=True)  # type: ignore[attr-defined]
    assert written == [{"force": True, "wait": True}]


def test_ray_still_asks_for_snapshots_by_this_name() -> None:
    assert "self.checkpoint()" in inspect.getsource(TuneController.step)


def test_ray_still_remembers_under_these_names() -> None:
    source = inspect.getsource(TuneController.__init__)
    names = (*patches.TRIAL_COLLECTIONS, patches.TRIAL_METADATA, patches.WORKERS_OF_TRIALS, patches.IDLE_WORKERS)
    assert [name for name in names if f"self.{name}" not in source] == []
    assert list(inspect.signature(_ObjectCache.increase_max).parameters) == ["self", "key", "by"]


@pytest.fixture
def whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], SimulatedRun]:
    """Runs twenty trials of three epochs on two simulated workers."""

    def run() -> SimulatedRun:
        declared = experiment(trials=20, max_epochs=3, searcher=Random(), scheduler=NoScheduler())
        simulated = SimulatedRun(declared, tmp_path, Workers(3), monkeypatch)
        for _ in range(1000):
            if simulated.controller.is_finished():
                return simulated
            simulated.step()
        raise AssertionError("it does not end")

    return run


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("TRIAL_COLLECTIONS", ("_gone",)),
        ("TRIAL_METADATA", "_gone"),
        ("WORKERS_OF_TRIALS", "_gone"),
        ("IDLE_WORKERS", "_gone"),
    ],
)
def test_a_run_goes_on_without_this_name(
    name: str, gone: Any, whole_run: Callable[[], SimulatedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = whole_run().log.events
    monkeypatch.setattr(patches, name, gone)
    run = whole_run()
    assert [type(event) for event in run.log.events] == [type(event) for event in expected]
    assert Counter(run.workers.asked)["train"] == 60


def task_failed(error: Exception) -> list[Exception]:
    """What Ray Tune hears of an error of a worker."""
    heard: list[Exception] = []
    manager = actor_manager.RayActorManager(resource_manager=SimpleNamespace())  # type: ignore[arg-type]
    actor = TrackedActor("1", on_error=lambda _, exception: heard.append(exception))
    task = SimpleNamespace(_tracked_actor=actor, _on_error=None)
    manager._cleanup_actor = lambda **_: None  # type: ignore[method-assign]
    manager._actor_task_failed(task, error)  # type: ignore[arg-type]
    return heard


def test_ray_tune_still_expects_no_kill_of_the_memory_monitor() -> None:
    """Should Ray Tune learn to, the patch can go."""
    assert task_failed(ActorDiedError())
    with pytest.raises(RuntimeError, match="unexpected exception"):
        task_failed(OutOfMemoryError("low on memory"))


def test_a_kill_of_the_memory_monitor_is_a_death_with_its_cause() -> None:
    before = actor_manager.RayActorManager._actor_task_failed
    with oom_kills_count_as_deaths():
        (death,) = task_failed(OutOfMemoryError("low on memory"))
        (other,) = task_failed(ActorDiedError())
    assert isinstance(death, RayActorError)
    assert (str(death), type(death.__cause__)) == ("low on memory", OutOfMemoryError)
    assert isinstance(other, ActorDiedError)
    assert actor_manager.RayActorManager._actor_task_failed is before


@pytest.mark.parametrize("missing", ["module", "method"])
def test_without_the_name_all_is_as_in_ray(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "module":
        monkeypatch.setitem(sys.modules, "ray.air.execution._internal.actor_manager", None)
    else:
        monkeypatch.setattr(patches, "TASK_FAILED", "_gone")
    with oom_kills_count_as_deaths(), pytest.raises(RuntimeError, match="unexpected exception"):
        task_failed(OutOfMemoryError("low on memory"))
