"""Hands trials to Ray Tune: what they are made of, and who is asked about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainables import Data, TrialSettings
from trainables.settings import unwrap
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.on_ray.free_slots import FreeSlots
from tune_jobs.engine.on_ray.internals.memory_monitor import oom_kills_count_as_deaths
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.resources import Resources


def trainable_for_ray(experiment: Experiment, data: Data, trials: str, *, shares_vary: bool) -> Any:
    """What Ray Tune makes a trial of: the trainable with its data, its settings and its resources.

    Args:
        experiment: What is run.
        data: What it loaded; Ray's object store holds it from now on.
        trials: The folder, or the URI, that will hold one folder a trial.
        shares_vary: Whether trials have different shares of the GPUs.
    """
    from ray import tune

    resources = experiment.resources
    settings = TrialSettings(
        metric=experiment.objective.metric,
        mode=experiment.objective.mode,
        max_epochs=experiment.max_epochs,
        seed=experiment.seed,
        executions=experiment.executions,
        cpus=resources.cpus,
        gpus=resources.first_gpus,
        measures_gpu=resources.gpus == "auto",
        folder=trials,
        checkpoint_every_s=experiment.checkpoint_every_s,
        milestones=experiment.rungs,
    )
    seen = replace(data, test=None)  # nothing of the test set ever reaches a worker
    trainable = tune.with_parameters(experiment.trainable, data=seen, settings=settings)
    return tune.with_resources(trainable, _resources_of(resources) if shares_vary else resources.to_ray())


def _resources_of(resources: Resources) -> Callable[[Mapping[str, Any]], Any]:
    """What Ray is asked for where GPU shares vary, as a function of a trial's configuration."""

    def request(config: Mapping[str, Any]) -> Any:
        from ray.tune.execution.placement_groups import resource_dict_to_pg_factory

        _, control = unwrap(config)
        return resource_dict_to_pg_factory(resources.to_ray(control.gpus))

    return request


def tune_trials(trainable: Any, coordinator: Coordinator, room: FreeSlots, scratch: Path) -> None:
    """Runs all trials.

    Args:
        trainable: See ``trainable_for_ray``.
        coordinator: What decides.
        room: How many may be with Ray.
        scratch: A folder for what Ray writes.
    """
    from ray import tune

    from tune_jobs.engine.on_ray.bridge import DecidingStopper, ProposingSearcher, TellingCallback, WorkerKeeper

    searcher = ProposingSearcher(coordinator, room.now)
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=WorkerKeeper(searcher, (lambda: 0) if coordinator.shares.vary else room.now),
            num_samples=-1,  # the searcher says when it is finished
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="run",
            storage_path=str(scratch / "tune"),
            stop=DecidingStopper(coordinator),
            callbacks=[TellingCallback(coordinator)],
            failure_config=tune.FailureConfig(max_failures=0),  # the coordinator proposes again what may go on
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    with oom_kills_count_as_deaths():
        tuner.fit()
