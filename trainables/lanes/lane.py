"""A lane: a thread in which one trial trains, in turns with the trials of other lanes."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

from trainables.internals.global_state import IsolatedGlobalState, names_of_this_thread

_here = threading.local()


class RunTogether(Protocol):
    """A function that does the work of several requests at once."""

    def __call__(self, contents: Sequence[Any]) -> Sequence[Any]:
        """Return the result of each request, for their contents in the same order."""


@dataclass(frozen=True)
class Request:
    """A piece of a lane's work that can be done together with equal pieces of other lanes.

    Attributes:
        work: The kind of work: equal ones need one program; None: this piece is done alone.
        position: The part of the work that is to be done. Requests with equal work and position are done together.
        content: The arguments of the work.
        run_alone: Does this work alone, and returns its result.
        run_together: Does the work of several requests that belong together.
    """

    work: Hashable | None
    position: Hashable
    content: Any
    run_alone: Callable[[], Any]
    run_together: RunTogether


@dataclass(frozen=True)
class _Ended:
    """The end of a lane's work: its result, or the error that it raised."""

    result: Any = None
    error: BaseException | None = None


class Lane:
    """A thread that works only while it has its turn: nothing else of this process's lanes runs meanwhile.

    Keras's names, Python's and NumPy's random numbers, and ``os._exit`` are global in a process. Each lane has its own,
    which are exchanged when its turn begins and ends, so that a trial in a lane draws what it would draw alone.

    Attributes:
        request: The request at which the lane waits; None: it does not wait.
        requests: The number of requests while it did what it was ordered last, and of those that may be done together.
    """

    def __init__(self) -> None:
        self.request: Request | None = None
        self.requests = (0, 0)
        self._turns: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Request | _Ended] = queue.SimpleQueue()
        self._global_state = IsolatedGlobalState(names_of_this_thread())
        self._exit: Any = None
        self._turn = ExitStack()
        self._ended = _Ended()
        threading.Thread(target=self._live, name="lane", daemon=True).start()

    def begin(self, work: Callable[[], Any]) -> None:
        """Let the lane do its work until it ends, or waits at a request."""
        self.requests = (0, 0)
        self._give_turn(work)

    def go_on(self, outcome: Callable[[], Any]) -> None:
        """Let the lane go on from its request with what a function returns, or raises, in the lane's thread."""
        self.request = None
        self._give_turn(outcome)

    def lead(self, work: Callable[[], Any]) -> Any:
        """Return what a function returns that is called in this lane's thread, while the lane still waits.

        Raises:
            Exception: What the function raised.
        """
        outcomes: list[_Ended] = []

        def lead() -> object:
            outcomes.append(_ended(work))
            return _AGAIN

        self._turns.put(lead)
        self._answers.get()
        if (error := outcomes[0].error) is not None:
            raise error
        return outcomes[0].result

    def result(self) -> Any:
        """Return the result of the work that has ended.

        Raises:
            BaseException: What the work raised.
        """
        if self._ended.error is not None:
            raise self._ended.error
        return self._ended.result

    def close(self) -> None:
        """End the thread, once the lane has no work."""
        self._turns.put(None)

    def meet(self, request: Request) -> Any:
        """Return the result of a request, from within the lane's work. Other lanes have their turns meanwhile."""
        total, keyed = self.requests
        self.requests = (total + 1, keyed + (request.work is not None))
        self._end_turn()
        answer: Request | _Ended = request
        while True:
            self._answers.put(answer)
            turn = self._turns.get()
            self._begin_turn()
            if turn is not None and (result := turn()) is not _AGAIN:
                return result
            self._end_turn()
            answer = _Ended()

    def _give_turn(self, work: Callable[[], Any]) -> None:
        self._turns.put(work)
        answer = self._answers.get()
        if isinstance(answer, Request):
            self.request = answer
        else:
            self._ended = answer

    def _live(self) -> None:
        _here.lane = self
        while (work := self._turns.get()) is not None:
            self._begin_turn()
            ended = _ended(work)
            self._end_turn()
            del work
            self._answers.put(ended)

    def _begin_turn(self) -> None:
        outside = os._exit
        os._exit = self._exit or outside
        self._turn.callback(self._leave_exit, outside)
        self._turn.enter_context(self._global_state.active())

    def _end_turn(self) -> None:
        self._turn.close()

    def _leave_exit(self, outside: Any) -> None:
        self._exit, os._exit = os._exit, outside


_AGAIN = object()


def _ended(work: Callable[[], Any]) -> _Ended:
    try:
        return _Ended(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where the work was ordered
        return _Ended(error=error)


def current_lane() -> Lane | None:
    """Return the lane in whose thread this is called; None in any other thread."""
    return getattr(_here, "lane", None)
