"""What Ray's controller is made to forget, so that the thousandth trial costs what the first did."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

from ray import tune
from ray.tune.execution.tune_controller import TuneController

from tune_jobs.engine.on_ray.bridge import WorkerKeeper
from tune_jobs.engine.on_ray.internals import controller as upkeep
from tune_jobs.engine.on_ray.internals.controller import ControllerPatches, lighten


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
    controller, keeping = Controller(), ControllerPatches()
    running: list[Trial] = []
    for number in range(1000):
        running.append(controller.begin(number))
        if len(running) == 3:
            trial = running.pop(0)
            keeping.ends(controller, trial)
            keeping.forget_ended()  # it ends only now, and nothing of it may be missing until then
            assert trial in controller.get_trials()
            controller.end(trial)
            keeping.forget_ended()
        assert controller.known() <= 5 * 3
    assert controller.get_trials() == running


def test_trials_of_equal_resources_share_them() -> None:
    keeping, trials = ControllerPatches(), [Trial(number) for number in range(6)]
    for trial in trials:
        keeping.added(trial)
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
    lighten(result)
    assert result == {"trial_id": "1", "done": True, "training_iteration": 3}


def test_no_event_walks_over_the_trials() -> None:
    def refused() -> list[Any]:
        raise AssertionError("all trials of the run were asked for")

    keeper = WorkerKeeper(SimpleNamespace(is_finished=lambda: False), lambda: 2)  # type: ignore[arg-type]
    assert keeper.choose_trial_to_run(SimpleNamespace(get_trials=refused)) is None


def test_a_snapshot_is_written_when_it_must_be_only() -> None:
    written = []
    controller, keeping = Controller(), ControllerPatches()
    controller.checkpoint = lambda **asked: written.append(asked)  # type: ignore[attr-defined]
    for number in range(3):
        keeping.ends(controller, controller.begin(number))
        controller.checkpoint()  # type: ignore[attr-defined]
    assert written == []
    controller.checkpoint(force=True, wait=True)  # type: ignore[attr-defined]
    assert written == [{"force": True, "wait": True}]


def test_ray_still_asks_for_snapshots_by_this_name() -> None:
    assert "self.checkpoint()" in inspect.getsource(TuneController.step)


def test_ray_still_remembers_under_these_names() -> None:
    told = inspect.getsource(TuneController.__init__)
    names = (*upkeep._COLLECTIONS, "_trial_metadata", "_trial_to_actor", "_actor_cache")
    assert [name for name in names if f"self.{name}" not in told] == []
