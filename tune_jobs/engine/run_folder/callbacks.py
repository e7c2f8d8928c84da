"""Callbacks: objects of the user's, or of other people's tools, that are told every event of a run in the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from trainables.exits import described
from tune_jobs.base.plain_text import plain_text
from tune_jobs.engine.run_folder.reporter import Plan
from tune_jobs.results import Event

_MOST_NOTES = 3


class Callback:
    """The base of callbacks, which are told every event of a run. Each method does nothing; override what you need.

    A callback is called in the driver's process, one call at a time, after the event is in the journal. So it must be
    quick: the run waits for it. An exception in it is a note of the run, and not its end; it is called again for the
    next event. What it prints goes to ``logs/ray.log``.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.results import TrialEnded
        >>> class CountEnded(tune_jobs.Callback):
        ...     def begin(self, plan):
        ...         self.ended = sum(isinstance(event, TrialEnded) for event in plan.earlier)
        ...     def event(self, event):
        ...         self.ended += isinstance(event, TrialEnded)
        >>> counter = CountEnded()
        >>> # tune_jobs.run(EXPERIMENT, callbacks=[counter])
    """

    def begin(self, plan: Plan) -> None:
        """Begin: the run is about to start, or to go on.

        Args:
            plan: The plan of the run; ``plan.earlier`` has the events of earlier sessions, if the run is resumed.
        """

    def event(self, event: Event) -> None:
        """Take an event, which is in the journal already.

        Args:
            event: One of the classes of ``tune_jobs.results.journal.events``.
        """

    def end(self) -> None:
        """Finish: the run is over, or failed."""


class Audience:
    """The callbacks of a run, called so that none can harm the run or the others.

    Args:
        callbacks: The callbacks.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = callbacks
        self._noted: dict[int, int] = {}

    def tell(self, call: Callable[[Callback], object]) -> Iterator[str]:
        """Call each callback, and yield a sentence about each that raised.

        Args:
            call: Calls a method of a callback.
        """
        for index, callback in enumerate(self._callbacks):
            try:
                call(callback)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the user's code, and not what the run is for
                count = self._noted[index] = self._noted.get(index, 0) + 1
                if count <= _MOST_NOTES:
                    last = "; further errors of it are not noted" if count == _MOST_NOTES else ""
                    yield f"The callback {type(callback).__name__} raised {plain_text(described(error))}{last}."
