"""The trials of a run in Ray Tune: their trainable, and the objects that Ray asks about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainables import Data, TrialSettings
from trainables.data.mapped import for_workers
from trainables.settings import unwrap
from trainables.worker import Worker, pack
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.on_ray.free_slots import FreeSlots
from tune_jobs.engine.on_ray.internals.controller import oom_kills_count_as_deaths
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.environment import folders_of_own_modules


def trainable_for_ray(experiment: Experiment, data: Data | None, trials: str, *, shares_vary: bool) -> Any:
    """Return the class that Ray Tune makes workers of: it holds the trainable, its data, settings and resources.

    Args:
        experiment: The experiment to run.
        data: The data that it loaded; Ray's object store holds it from now on. None: each worker opens it.
        trials: The folder, or the URI, that will hold one folder a trial.
        shares_vary: Whether trials have different shares of the GPUs.
    """
    from ray import tune

    resources = experiment.resources
    settings = TrialSettings(
        metric=experiment.objective.metric,
        mode=experiment.objective.mode,
        constraints=tuple(constraint.text for constraint in experiment.goal.constraints),
        measures=experiment.measures,
        needed=experiment.needed_metrics,
        max_epochs=experiment.max_epochs,
        seed=experiment.seed,
        fraction=experiment.fraction,
        executions=experiment.executions,
        cpus=resources.cpus,
        gpus=resources.first_gpus,
        measures_gpu=resources.gpus == "auto",
        folder=trials,
        checkpoint_every_s=experiment.checkpoint_every_s,
        milestones=experiment.rungs,
        waits_at_milestones=experiment.scheduler.PAUSES,
    )
    seen = None if data is None else for_workers(data)  # nothing of the test set ever reaches a worker
    sent = pack(experiment.trainable, folders_of_own_modules())
    trainable = tune.with_parameters(Worker, sent=sent, data=seen, settings=settings)
    return tune.with_resources(trainable, _resources_of(resources) if shares_vary else resources.to_ray())


def _resources_of(resources: Resources) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function of a trial's configuration that returns the resources to ask Ray for, where shares vary."""

    def request(config: Mapping[str, Any]) -> Any:
        from ray.tune.execution.placement_groups import resource_dict_to_pg_factory

        _, control = unwrap(config)
        return resource_dict_to_pg_factory(resources.to_ray(control.gpus))

    return request


def tune_trials(trainable: Any, coordinator: Coordinator, slots: FreeSlots, scratch: Path) -> None:
    """Run all trials.

    Args:
        trainable: The class that ``trainable_for_ray`` returned.
        coordinator: The coordinator of the run.
        slots: The number of trials that Ray may have.
        scratch: A folder for the files that Ray writes.
    """
    from ray import tune

    from tune_jobs.engine.on_ray.bridge import (
        CoordinatorCallback,
        CoordinatorSearcher,
        CoordinatorStopper,
        WorkerKeepingScheduler,
    )

    searcher = CoordinatorSearcher(coordinator, slots.count)
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            search_alg=searcher,
            scheduler=WorkerKeepingScheduler(searcher, (lambda: 0) if coordinator.shares.can_vary else slots.count),
            num_samples=-1,  # the searcher says when it is finished
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="run",
            storage_path=str(scratch / "tune"),
            stop=CoordinatorStopper(coordinator),
            callbacks=[CoordinatorCallback(coordinator)],
            failure_config=tune.FailureConfig(max_failures=0),  # the coordinator proposes again what may go on
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        ),
    )
    with oom_kills_count_as_deaths():
        tuner.fit()
