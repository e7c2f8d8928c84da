"""How many trials may be with Ray at a time: as many as fit, also when the cluster grows or shrinks meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine

_LOOK_S = 1.0


class FreeSlots:
    """Follows a cluster.

    More trials than fit would only wait in Ray's queue, proposed from fewer results than there are by their turn.

    Args:
        machine: What there was at the start.
        resources: What a trial gets.
        most: How many trials run side by side at most; None: see ``Machine.concurrent``.
        look: Says what there is now; None: that stays as it was.
        note: Told when the room has changed.
        clock: Seconds that pass.
    """

    def __init__(
        self,
        machine: Machine,
        resources: Resources,
        most: int | None,
        look: Callable[[], Machine] | None,
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resources = resources
        self._most = most
        self._look = look
        self._note = note
        self._clock = clock
        self._machine = machine
        self._room = machine.concurrent_trials(resources, most)
        self._looked_s = clock()

    def now(self) -> int:
        """How many trials may be with Ray. Ask often: the cluster is asked once a second at most."""
        if self._look is not None and self._clock() - self._looked_s >= _LOOK_S:
            before, self._machine = self._machine, self._look()
            self._room = self._machine.concurrent_trials(self._resources, self._most)
            self._looked_s = self._clock()
            if before.nodes != self._machine.nodes:
                self._note(self._told())
        return self._room

    def _told(self) -> str:
        nodes, room = len(self._machine.nodes), self._room
        there = f"The cluster has {nodes} {'node' if nodes == 1 else 'nodes'} now"
        if room == 0:
            return f"{there}, and no trial fits on any of them: the run waits until one joins that has room."
        return f"{there}: {room} {'trial fits' if room == 1 else 'trials fit'} side by side."
