"""The workers of a run as Ray's actors: what Ray is asked for, what it is given to keep, and what its errors mean."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import ray
from ray.exceptions import ActorDiedError, OutOfMemoryError
from ray.util.scheduling_strategies import NodeLabelSchedulingStrategy

from tests.support.fakes import experiment
from trainables import Data, TrialSettings
from trainables.before_ray.sent_class import SentClass
from tune_jobs import Resources
from tune_jobs.engine.decisions.failures import Failure, FailureCause
from tune_jobs.engine.on_ray import workers
from tune_jobs.engine.on_ray.workers import RayWorkers, Ready, workers_for


class Actor:
    """An actor, whose answers the test gives."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.pending: list[Future[Any]] = []

    def __getattr__(self, name: str) -> Any:
        def remote(*arguments: Any) -> Any:
            self.asked.append((name, arguments))
            self.pending.append(Future())
            return SimpleNamespace(future=lambda future=self.pending[-1]: future)

        return SimpleNamespace(remote=remote)

    def answer(self, answer: Any) -> None:
        future = self.pending.pop(0)
        future.set_exception(answer) if isinstance(answer, Exception) else future.set_result(answer)


class FakeRay:
    """A Ray that keeps what it is given and starts actors of the test."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.kept: list[Any] = []
        self.options: list[dict[str, Any]] = []
        self.actors: list[Actor] = []
        patch.setattr(ray, "put", lambda value: self.kept.append(value) or value)
        patch.setattr(ray, "remote", lambda _: self)
        patch.setattr(workers, "all_nodes", lambda: [])
        patch.setattr(workers, "node_names", lambda _: {"n1": "host"})

    def __call__(self) -> None:
        """Do nothing."""

    def remote(self, *_: Any) -> Actor:
        self.actors.append(Actor())
        return self.actors[-1]

    def with_options(self, **options: Any) -> FakeRay:
        self.options.append({name: value for name, value in options.items() if value is not None})
        return self


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    return FakeRay(monkeypatch)


def started(fake: FakeRay, resources: Resources | None = None, *, inherits: bool = True) -> RayWorkers:
    made = RayWorkers(None, None, None, resources or Resources(), inherits=inherits)
    made._class = SimpleNamespace(options=fake.with_options)  # noqa: SLF001 - stands in for Ray's
    return made


def test_a_run_stores_its_data_once_and_nothing_of_the_test_set(fake: FakeRay) -> None:
    split = (np.zeros((4, 2), np.float32), np.zeros(4, np.int32))
    workers_for(experiment(), Data(split, split, test=split), "trials", is_cluster=False)
    sent, data, settings = fake.kept
    assert isinstance(sent, SentClass)
    assert isinstance(settings, TrialSettings)
    assert isinstance(data, Data)
    assert data.test is None
    assert data.train[0] is split[0]


def test_a_worker_gets_what_a_trial_asks_for(fake: FakeRay) -> None:
    made = started(fake, Resources(cpus=2, gpus=0.5, memory_bytes=1000, custom={"tpu": 1}))
    made.start(0.25)
    started(fake).start(0)
    assert fake.options == [
        {"num_cpus": 2, "num_gpus": 0.25, "memory": 1000, "resources": {"tpu": 1}},
        {"num_cpus": 1},
    ]


def test_a_worker_is_kept_away_from_a_node(fake: FakeRay) -> None:
    started(fake).start(0, "ab" * 28)
    strategy = fake.options[0]["scheduling_strategy"]
    assert isinstance(strategy, NodeLabelSchedulingStrategy)
    (expression,) = strategy.soft
    assert (expression.key, expression.operator.values) == ("ray.io/node-id", ["ab" * 28])
    assert not strategy.hard


def test_credentials_reach_workers_that_inherit_nothing(fake: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    started(fake).start(0)
    started(fake, inherits=False).start(0)
    assert fake.options == [
        {"num_cpus": 1},
        {"num_cpus": 1, "runtime_env": {"env_vars": {"AWS_ACCESS_KEY_ID": "mine"}}},
    ]


def test_a_configuration_travels_in_the_call_that_trains_the_first_epoch(fake: FakeRay) -> None:
    made = started(fake)
    worker = made.start(0)
    made.train(worker, {"x": 1})
    made.train(worker)
    assert fake.actors[0].asked == [("node_id", ()), ("train", ({"x": 1},)), ("train", ())]


def test_answers_come_as_they_are_given_and_all_at_once(fake: FakeRay) -> None:
    made = started(fake)
    first, second = made.start(0), made.start(0)
    assert made.answers(0.01) == []
    fake.actors[1].answer("n1")
    fake.actors[0].answer("n2")
    assert made.answers(0.01) == [(second, Ready("n1", "host")), (first, Ready("n2", "n2"))]
    made.train(first, {})
    fake.actors[0].answer({"done": True})
    assert made.answers(0.01) == [(first, {"done": True})]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ActorDiedError(), FailureCause.OTHER),
        (OutOfMemoryError("The node was running low on memory."), FailureCause.HOST_MEMORY),
    ],
)
def test_the_death_of_a_worker_is_a_failure_by_its_type(fake: FakeRay, error: Exception, cause: FailureCause) -> None:
    made = started(fake)
    worker = made.start(0)
    fake.actors[0].answer(error)
    ((lost, failure),) = made.answers(0.01)
    assert lost is worker
    assert isinstance(failure, Failure)
    assert failure.cause is cause


def test_workers_that_do_not_leave_in_time_are_killed(fake: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[Any] = []
    monkeypatch.setattr(ray, "kill", killed.append)
    monkeypatch.setattr(ray, "wait", lambda calls, **_: ([], calls))
    made = RayWorkers.__new__(RayWorkers)
    made._leaving = {}  # noqa: SLF001 - it is used without the rest
    actor = SimpleNamespace(leave=SimpleNamespace(remote=lambda: "call"))
    made.leave(workers.ActorWorker(actor))
    made.wait_until_left(1.0)
    assert killed == [actor]
    made.wait_until_left(1.0)
    assert killed == [actor]
