"""The loop of a run whose workers have several lanes: trials whose process died are trained alone from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.engine.decisions.failures import Failure
from tune_jobs.engine.decisions.trial_queue import Proposal
from tune_jobs.engine.on_ray.loop import Loop, Post
from tune_jobs.engine.on_ray.shared_workers import SharedWorkers


class SharedLoop(Loop):
    """The loop of one run, in which each lane of a process is a worker.

    If a process with several trials dies, nobody knows which of them did it. Each of them goes on alone in a process:
    the one that kills that, too, is found out, and costs the others nothing more.

    Args:
        coordinator: The coordinator of the run.
        workers: The workers.
        slots: Returns the number of trials that fit side by side now: see ``FreeSlots``.
        gpus: The GPUs of a worker.
        has_room: Returns whether another node than one has room for a worker: see ``Rooms``.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        workers: SharedWorkers,
        slots: Callable[[], int],
        gpus: float,
        has_room: Callable[[str, Iterable[str]], bool] = lambda _node, _taken: False,
    ) -> None:
        super().__init__(coordinator, workers, slots, gpus, has_room)
        self._lanes = workers
        self._suspects: set[int] = set()
        self._held: list[Proposal] = []

    def _may_ask(self, can_vary: bool) -> bool:
        """Return whether one more trial may begin. Not while one waits to be alone: no process would become free."""
        return self._place_held() and super()._may_ask(can_vary)

    def _usable(self) -> dict[Any, Post]:
        """Return the free workers, without those in whose process a trial is to be alone."""
        if not self._suspects:
            return self._free
        return {lane: post for lane, post in self._free.items() if self._suspects.isdisjoint(self._trials_beside(lane))}

    def _place(self, number: int, config: dict[str, Any]) -> None:
        """Give a trial to a free worker; one that is to be alone waits for a process without trials."""
        if number not in self._suspects:
            super()._place(number, config)
            return
        self._held.append((number, self._wrapped(number, config)))
        self._place_held()

    def _place_held(self) -> bool:
        """Let trials begin that are to be alone in a process; return whether all of them have begun."""
        while self._held:
            free = [lane for lane in self._usable() if not self._trials_beside(lane)]
            if not free:
                return False
            number, config = self._held.pop(0)
            avoided = self._lost_on.pop(number, "")
            self._begin(min(free, key=lambda lane: self._free[lane].node_id == avoided), (number, config))
        return True

    def _lose(self, worker: Any, failure: Failure) -> None:
        """Give back the trial of a lane whose process is lost."""
        trial = self._posts[worker].trial
        if failure.is_shared and trial is None:
            self._drop(worker, kill=True)
            return
        if failure.is_shared and trial is not None:
            self._suspects.add(trial)
        super()._lose(worker, failure)

    def _trials_beside(self, lane: Any) -> set[int]:
        """Return the trials in the process of a lane."""
        posts = (self._posts.get(mate) for mate in self._lanes.mates(lane))
        return {post.trial for post in posts if post is not None and post.trial is not None}
