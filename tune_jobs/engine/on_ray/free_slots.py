"""The number of trials that Ray may have at a time: as many as fit, also when the cluster grows or shrinks."""

from __future__ import annotations

import time
from collections.abc import Callable

from tune_jobs.experiment.resources import Resources
from tune_jobs.host.capacity import Machine

_LOOK_S = 1.0


def trials_side_by_side(machine: Machine, resources: Resources, most: int | None, together: int) -> int:
    """Return how many trials are to run side by side.

    Args:
        machine: The machine, or the cluster.
        resources: The resources of a worker.
        most: The person's own limit; None: there is none.
        together: The number of trials in a worker.
    """
    if together == 1:
        return machine.concurrent_trials(resources, most)
    trials = machine.concurrent_trials(resources, most and -(-most // together)) * together
    return trials if most is None else min(trials, most)


class FreeSlots:
    """The slots for trials on a machine, or on a cluster that is watched.

    More trials than fit would only wait in Ray's queue. They would be proposed from fewer results than there are when
    their turn comes.

    Args:
        machine: The resources at the start.
        resources: The resources of a trial.
        most: The most trials side by side; None: see ``Machine.concurrent_trials``.
        look: Returns the resources of the present moment; None: they stay as they were.
        note: Called with a sentence when the number of nodes, or of other runs, has changed.
        clock: Returns the time that has passed, in seconds.
        share: Returns how many workers may run beside other runs on this machine; None: there are no others.
        together: The number of trials in a worker.
    """

    def __init__(
        self,
        machine: Machine,
        resources: Resources,
        most: int | None,
        look: Callable[[], Machine] | None,
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        share: Callable[[], int] | None = None,
        together: int = 1,
    ) -> None:
        self._resources = resources
        self._most = most
        self._look = look
        self._note = note
        self._clock = clock
        self._machine = machine
        self._share = share
        self._together = together
        self._slots = self._whole = trials_side_by_side(machine, resources, most, together)
        self._looked_s = clock()
        self._divide()

    def count(self) -> int:
        """Return the number of trials that Ray may have. Call it often: the cluster is asked once a second at most."""
        if (self._look is None and self._share is None) or self._clock() - self._looked_s < _LOOK_S:
            return self._slots
        self._looked_s = self._clock()
        if self._look is not None:
            before, self._machine = self._machine, self._look()
            self._slots = trials_side_by_side(self._machine, self._resources, self._most, self._together)
            if before.nodes != self._machine.nodes:
                self._note(self._change())
        self._divide()
        return self._slots

    def _divide(self) -> None:
        """Leave room for the other runs on this machine."""
        if self._share is None:
            return
        before, self._slots = self._slots, min(self._whole, self._share() * self._together)
        if self._slots < before:
            self._note(
                f"Other runs use this machine: {_side_by_side(self._slots)} until they end, {self._whole} afterwards."
            )
        elif self._slots > before:
            self._note(f"Other runs leave more of this machine: {_side_by_side(self._slots)} from now on.")

    def _change(self) -> str:
        nodes, slots = len(self._machine.nodes), self._slots
        cluster = f"The cluster has {nodes} {'node' if nodes == 1 else 'nodes'} now"
        if slots == 0:
            return f"{cluster}, and no trial fits on any of them: the run waits until one joins that has room."
        return f"{cluster}: {slots} {'trial fits' if slots == 1 else 'trials fit'} side by side."


def _side_by_side(slots: int) -> str:
    return "one trial runs at a time" if slots == 1 else f"{slots} trials run side by side"
