"""The workers of a run as Ray actors, by Ray's public names alone."""

from __future__ import annotations

import os
import queue
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from trainables import Data, TrialSettings
from trainables.before_ray.sent_class import pack
from trainables.data.mapped import for_workers
from trainables.report import Report
from tune_jobs.engine.decisions.failures import Failure
from tune_jobs.engine.on_ray.errors import worker_failure
from tune_jobs.engine.on_ray.nodes import all_nodes, node_names
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.resources import Resources
from tune_jobs.host.environment import folders_of_own_modules

_NODE_LABEL = "ray.io/node-id"
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN")


class Ready(NamedTuple):
    """The answer of a worker that has imported what it needs, and waits for a trial.

    Attributes:
        node_id: The id of its node.
        node_name: The name of its node.
    """

    node_id: str
    node_name: str


Answer = Ready | Report | Failure
"""A worker is ready, has trained an epoch, or is lost."""


def _settings(experiment: Experiment, trials: str) -> TrialSettings:
    """Return the settings of the workers.

    Args:
        experiment: The experiment to run.
        trials: The folder, or the URI, that will hold one folder a trial.
    """
    resources = experiment.resources
    return TrialSettings(
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


def workers_for(experiment: Experiment, data: Data | None, trials: str, *, is_cluster: bool) -> RayWorkers:
    """Return the workers of a run, none of which is started yet. Ray's object store holds their data from now on.

    Args:
        experiment: The experiment to run.
        data: The data that it loaded; None: each worker opens it.
        trials: The folder, or the URI, that will hold one folder a trial.
        is_cluster: Whether Ray is a cluster that this process has joined.
    """
    seen = None if data is None else for_workers(data)  # nothing of the test set ever reaches a worker
    sent = pack(experiment.trainable, folders_of_own_modules())
    settings = _settings(experiment, trials)
    has_lanes = experiment.together > 1
    return RayWorkers(sent, seen, settings, experiment.resources, inherits=not is_cluster, has_lanes=has_lanes)


@dataclass(eq=False)
class ActorWorker:
    """A worker.

    Attributes:
        actor: Ray's handle of the actor.
    """

    actor: Any = field(repr=False)


class RayWorkers:
    """The workers of a run. Each is asked for one thing at a time, and its answer is fetched by ``answers``.

    Args:
        sent: The user's class, as ``sent_class.pack`` returns it.
        data: The data that the workers share; None: each opens it.
        settings: The settings of the run.
        resources: The resources of a trial.
        inherits: Whether the workers' processes inherit the variables of this one.
        has_lanes: Whether a worker has several lanes: see ``SharedWorkers``.
    """

    def __init__(
        self, sent: Any, data: Any, settings: Any, resources: Resources, *, inherits: bool, has_lanes: bool = False
    ) -> None:
        import ray

        from trainables.worker import SharedWorker, Worker

        self._arguments = [ray.put(argument) for argument in (sent, data, settings)]
        self._resources = resources
        variables = {} if inherits else {name: os.environ[name] for name in _CREDENTIALS if name in os.environ}
        # Ray starts another process for an actor that declares an environment, even an empty one of variables.
        self._options: dict[str, Any] = {"runtime_env": {"env_vars": variables}} if variables else {}
        self._class: Any = ray.remote(SharedWorker if has_lanes else Worker)
        self._answers: queue.SimpleQueue[tuple[ActorWorker, Any]] = queue.SimpleQueue()
        self._node_names: dict[str, str] = {}
        self._leaving: dict[Any, ActorWorker] = {}

    def start(self, gpus: float, avoided_node: str = "") -> ActorWorker:
        """Start a worker. Its first answer says that it is ready.

        Args:
            gpus: Its GPUs.
            avoided_node: The id of a node that it gets only if no other has room.
        """
        request = self._resources.to_ray(gpus)
        options = {
            "num_cpus": request.pop("cpu"),
            "num_gpus": request.pop("gpu") or None,  # with 0, Ray would hide all GPUs and warn that it will not
            "memory": request.pop("memory", None),
            "resources": request or None,
            **self._options,
        }
        if avoided_node:
            from ray.util.scheduling_strategies import NodeLabelSchedulingStrategy, NotIn

            elsewhere: Any = NotIn(avoided_node)  # type: ignore[no-untyped-call]
            options["scheduling_strategy"] = NodeLabelSchedulingStrategy({}, soft={_NODE_LABEL: elsewhere})
        worker = ActorWorker(self._class.options(**options).remote(*self._arguments))
        self._expect(worker, worker.actor.node_id.remote())
        return worker

    def train(self, worker: ActorWorker, config: dict[str, Any] | None = None) -> None:
        """Let a worker train one epoch.

        Args:
            worker: The worker.
            config: The configuration of the trial that begins; None: the worker's trial goes on.
        """
        train = worker.actor.train
        self._expect(worker, train.remote() if config is None else train.remote(config))

    def answers(self, timeout_s: float) -> list[tuple[ActorWorker, Answer]]:
        """Wait for an answer of any worker, and return all that have come.

        Args:
            timeout_s: The longest wait, in seconds.
        """
        came = []
        try:
            came.append(self._answers.get(timeout=timeout_s))
            while True:
                came.append(self._answers.get_nowait())
        except queue.Empty:
            pass
        return [(worker, self._answer(future)) for worker, future in came]

    def kill(self, worker: ActorWorker) -> None:
        """End a worker at once. If it owes an answer, the answer is a failure."""
        import ray

        ray.kill(worker.actor)

    def leave(self, worker: ActorWorker) -> None:
        """Let a worker that owes no answer, or whose answer nobody needs, end its trial and its process."""
        self._leaving[worker.actor.leave.remote()] = worker

    def wait_until_left(self, timeout_s: float) -> None:
        """Wait for workers that are leaving, and kill those that take longer.

        Args:
            timeout_s: The longest wait, in seconds.
        """
        import ray

        left = list(self._leaving)
        _, silent = ray.wait(left, num_returns=len(left), timeout=timeout_s) if left else ([], [])
        for call in silent:
            self.kill(self._leaving[call])
        self._leaving.clear()

    def _expect(self, worker: ActorWorker, call: Any) -> None:
        answers = self._answers
        call.future().add_done_callback(lambda future: answers.put((worker, future)))

    def _answer(self, future: Any) -> Answer:
        from ray.exceptions import RayError

        try:
            answer = future.result()
        except RayError as error:
            return worker_failure(error)
        if not isinstance(answer, str):
            return cast(Report, answer)
        if answer not in self._node_names:
            self._node_names = node_names(all_nodes())
        return Ready(answer, self._node_names.get(answer, answer))
