"""The meeting of lanes: each works until it waits, and those that wait for equal work have it done together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from trainables.lanes.lane import Lane


class Meeting:
    """The lanes of a process, which take turns.

    Attributes:
        together: How many lanes each piece of work was done for, by that number: {4: 10} after ten pieces for four.
        failures: The first error of each kind of work that failed together; such work is done alone from then on.
    """

    def __init__(self) -> None:
        self.together: dict[int, int] = {}
        self.failures: dict[Hashable, Exception] = {}

    def work(self, works: Mapping[Lane, Callable[[], Any]]) -> None:
        """Let each lane do its work to the end. Its ``result`` tells what came out.

        Args:
            works: The work of each lane. The order of turns is that of this mapping.
        """
        for lane, work in works.items():
            lane.begin(work)
        while waiting := [lane for lane in works if lane.request is not None]:
            for group in self._groups(waiting):
                self._answer(group)

    def _groups(self, waiting: list[Lane]) -> list[list[Lane]]:
        groups: dict[Hashable, list[Lane]] = {}
        for lane in waiting:
            request = lane.request
            is_alone = request is None or request.work is None or request.work in self.failures
            key: Hashable = id(lane) if request is None or is_alone else (request.work, request.position)
            groups.setdefault(key, []).append(lane)
        return list(groups.values())

    def _answer(self, group: list[Lane]) -> None:
        """Do what the lanes of a group wait for, and let each go on until it waits again, or has ended."""
        requests = [lane.request for lane in group if lane.request is not None]
        self.together[len(group)] = self.together.get(len(group), 0) + 1
        if len(group) > 1:
            contents, run_together = [request.content for request in requests], requests[0].run_together
            try:
                results = group[0].lead(lambda: run_together(contents))
            except Exception as error:  # noqa: BLE001 - of one of them, of all together, or of their number: alone
                self.failures[requests[0].work] = error
            else:
                for lane, result in zip(group, results, strict=True):
                    lane.go_on(lambda result=result: result)  # type: ignore[misc]
                return
        for lane, request in zip(group, requests, strict=True):
            lane.go_on(request.run_alone)
