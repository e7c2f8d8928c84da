"""The loop of a run: it brings trials to workers and reports to the coordinator, and takes no decision itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from trainables.settings import ControlValues
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.failures import Failure
from tune_jobs.engine.decisions.trial_queue import Proposal
from tune_jobs.engine.on_ray.workers import Answer, Ready

_WAIT_S = 0.1
_LEAVING_S = 22.0  # for epochs in progress: providers that take a machine away give half a minute


class Workers(Protocol):
    """The workers of a run: see ``RayWorkers``. A worker may be any object that has a hash."""

    def start(self, gpus: float, avoided_node: str = "") -> Any:
        """Start a worker. Its first answer says that it is ready."""

    def train(self, worker: Any, config: dict[str, Any] | None = None) -> None:
        """Let a worker train one epoch."""

    def answers(self, timeout_s: float) -> list[tuple[Any, Answer]]:
        """Wait for an answer of any worker, and return all that have come."""

    def kill(self, worker: Any) -> None:
        """End a worker at once."""

    def leave(self, worker: Any) -> None:
        """Let a worker end its trial and its process."""

    def wait_until_left(self, timeout_s: float) -> None:
        """Wait for workers that are leaving, and kill those that take longer."""


@dataclass
class Post:
    """A worker as the loop knows it.

    Attributes:
        gpus: Its GPUs.
        is_ready: Whether it has imported what it needs.
        node_id: The id of its node, once it is ready.
        node_name: The name of its node.
        trial: The number of its trial; None: it has none.
        waiting: The trial, with its configuration, that waits until the worker is ready; else None.
        avoids: The id of a node that it gets only if no other has room.
    """

    gpus: float
    is_ready: bool = False
    node_id: str = ""
    node_name: str = ""
    trial: int | None = None
    waiting: Proposal | None = None
    avoids: str = ""

    @property
    def is_free_soon(self) -> bool:
        """True if it is being started, for no trial yet."""
        return not self.is_ready and self.trial is None


class Loop:
    """The loop of one run.

    Args:
        coordinator: The coordinator of the run.
        workers: The workers.
        slots: Returns the number of trials that fit side by side now: see ``FreeSlots``.
        gpus: The GPUs of a trial, where all have equal shares.
        has_room: Returns whether another node than one has room for a worker: see ``Rooms``.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        workers: Workers,
        slots: Callable[[], int],
        gpus: float,
        has_room: Callable[[str, Iterable[str]], bool] = lambda _node, _taken: False,
    ) -> None:
        self._coordinator = coordinator
        self._workers = workers
        self._slots = slots
        self._gpus = gpus
        self._has_room = has_room
        self._posts: dict[Any, Post] = {}
        self._free: dict[Any, Post] = {}
        self._lost_on: dict[int, str] = {}
        self.is_finished = False

    def run(self) -> None:
        """Run all trials."""
        try:
            while not self.is_finished:
                self.step()
        finally:
            self._end()

    def step(self) -> None:
        """Start the workers that are missing, give trials to those that are free, and take all answers."""
        self._fit()
        self._hand_out()
        if self.is_finished:
            return
        for worker, answer in self._workers.answers(_WAIT_S):
            if worker in self._posts and not self._coordinator.is_over:
                self._take(worker, answer)
        self._kill_hanging()

    def _fit(self) -> None:
        """Start and end workers, so that there are as many as can have trials, now or soon."""
        wanted, left = self._slots(), self._coordinator.trials_left
        wanted = wanted if left is None else min(wanted, left)
        if len(self._posts) > wanted:
            idle = [worker for worker, post in self._posts.items() if post.trial is None]
            idle.sort(key=lambda worker: self._posts[worker].is_ready)
            for worker in idle[: len(self._posts) - wanted]:
                self._dismiss(worker)
        elif not self._coordinator.shares.can_vary:  # else only a trial knows which worker it needs
            for _ in range(wanted - len(self._posts)):
                self._start(self._gpus, next(iter(self._lost_on.values()), ""))

    def _hand_out(self) -> None:
        """Give trials to workers: first those that have waited for a worker, then new proposals."""
        can_vary = self._coordinator.shares.can_vary
        while not self._coordinator.is_over:
            if can_vary:
                self._make_room()
            if not self._may_ask(can_vary) and self._coordinator.trials_left != 0:
                return
            proposal = self._coordinator.propose()
            if not isinstance(proposal, tuple):
                self.is_finished = proposal is None and self._coordinator.is_idle
                return
            self._place(*proposal)
        self.is_finished = True

    def _may_ask(self, can_vary: bool) -> bool:
        """Return whether there is a worker, or may be one, for one more trial."""
        if not self._usable() and not can_vary:
            return False
        return sum(post.trial is not None for post in self._posts.values()) < self._slots()

    def _usable(self) -> dict[Any, Post]:
        """Return the free workers that may begin a trial."""
        return self._free

    def _make_room(self) -> None:
        """Let no trial wait for a new worker while there is a free one like it, nor for what a free one holds."""
        for worker, post in list(self._posts.items()):
            if post.waiting is None:
                continue
            if like := next((free for free, other in self._free.items() if other.gpus == post.gpus), None):
                self._drop(worker, kill=True)
                self._begin(like, post.waiting)
            else:
                for free in list(self._free):
                    self._dismiss(free)

    def _place(self, number: int, config: dict[str, Any]) -> None:
        """Give a trial to a free worker, or to one that is started for it."""
        gpus = self._coordinator.shares.share_of(number) if self._coordinator.shares.can_vary else self._gpus
        config, avoided = self._wrapped(number, config), self._lost_on.pop(number, "")
        alike = [worker for worker, post in self._usable().items() if post.gpus == gpus]
        elsewhere = [worker for worker in alike if self._free[worker].node_id != avoided]
        if elsewhere or (alike and not self._has_room_beside(avoided)):
            self._begin((elsewhere or alike)[0], (number, config))
            return
        if alike and len(self._posts) >= self._slots():
            self._dismiss(alike[0])
        coming = [worker for worker, post in self._posts.items() if post.avoids == avoided and post.is_free_soon]
        post = self._posts[coming[0] if avoided and coming else self._start(gpus, avoided)]
        post.trial, post.waiting = number, (number, config)

    def _wrapped(self, number: int, config: dict[str, Any]) -> dict[str, Any]:
        """Return a configuration with the control values of its trial."""
        reported, gpus = self._coordinator.reported_epochs(number), self._coordinator.shares.own_gpus(number)
        return ControlValues(number, reported, gpus).wrap(config)

    def _has_room_beside(self, node_id: str) -> bool:
        taken = [post.node_id for post in self._posts.values()]
        return self._has_room(node_id, taken)

    def _begin(self, worker: Any, trial: Proposal) -> None:
        """Let a worker that is ready begin a trial."""
        post = self._free.pop(worker, None) or self._posts[worker]
        (post.trial, config), post.waiting = trial, None
        self._coordinator.start(post.trial, post.node_name)
        self._workers.train(worker, config)

    def _take(self, worker: Any, answer: Answer) -> None:
        post = self._posts[worker]
        if isinstance(answer, Failure):
            self._lose(worker, answer)
        elif isinstance(answer, Ready):
            post.is_ready, (post.node_id, post.node_name) = True, answer
            if post.waiting is None:
                self._free[worker] = post
            else:
                self._begin(worker, post.waiting)
        elif post.trial is not None and self._coordinator.report(post.trial, answer):
            post.trial, self._free[worker] = None, post
            self._hand_out()
        else:
            self._workers.train(worker)

    def _lose(self, worker: Any, failure: Failure) -> None:
        """Give back the trial of a worker that is lost."""
        post = self._posts[worker]
        self._drop(worker, kill=True)
        if post.trial is None:
            # It never had a trial. The next one is charged with the death, so that not even that goes on for ever.
            proposal = self._coordinator.propose()
            number = proposal[0] if isinstance(proposal, tuple) else None
        else:
            number = post.trial
        if number is not None and self._coordinator.lose_worker(number, failure) and post.node_id:
            self._lost_on[number] = post.node_id

    def _kill_hanging(self) -> None:
        """End the workers of trials that hang. Their answer is a failure, then."""
        for number in self._coordinator.hanging_trials():
            for worker, post in self._posts.items():
                if post.trial == number:
                    self._workers.kill(worker)

    def _start(self, gpus: float, avoided: str = "") -> Any:
        worker = self._workers.start(gpus, avoided)
        self._posts[worker] = Post(gpus, avoids=avoided)
        return worker

    def _dismiss(self, worker: Any) -> None:
        """Let a worker without a trial go."""
        self._drop(worker, kill=not self._posts[worker].is_ready)

    def _drop(self, worker: Any, *, kill: bool) -> None:
        (self._workers.kill if kill else self._workers.leave)(worker)
        del self._posts[worker]
        self._free.pop(worker, None)

    def _end(self) -> None:
        """End all workers. Those that train end their epoch first, if it does not take too long."""
        for worker in list(self._posts):
            self._dismiss(worker)
        self._workers.wait_until_left(_LEAVING_S)
