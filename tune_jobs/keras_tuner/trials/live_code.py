"""Code of the user's own that tells its epochs while it trains, so that a scheduler can stop it.

The code cannot be left in the middle and entered again, so it runs in a thread of its own. At the end of each epoch a
callback hears of it, and the thread waits until the driver has judged the epoch. If the trial is over, the callback
raises an exception there, which ends the code.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from trainables.steps import OwnStep
from tune_jobs.keras_tuner.objective import Objective

_LEAVING_S = 20.0


class TrialIsOver(BaseException):
    """The end of code whose trial is over. No ``except Exception`` of the code catches it."""


class LiveCode:
    """Code that runs in a thread of its own, and hands over its epochs one by one.

    Only the epochs of the first fit count, and no more of them than a trial has. The last one is kept back until the
    code has returned its results, which belong to it.

    Args:
        run: Runs the code, and returns the metrics of the epochs that its results tell.
        most_epochs: The number of epochs after which a trial has been trained completely.
        objective: The objective; an epoch without it is not handed over.
    """

    def __init__(
        self, run: Callable[[], Sequence[Mapping[str, float]]], most_epochs: int, objective: Objective
    ) -> None:
        self._run = run
        self._most_epochs = most_epochs
        self._objective = objective
        self._handed_over = 0
        self._kept_back: Mapping[str, float] = {}
        self._is_over = False
        self._fits = 0
        self._steps: queue.SimpleQueue[OwnStep | BaseException] = queue.SimpleQueue()
        self._goes_on = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work, name="tune-jobs-trial", daemon=True)

    def begin_fit(self) -> None:
        """Take in that the code begins a fit."""
        self._fits += 1

    def take(self, metrics: Mapping[str, float], *, is_last: bool) -> None:
        """Take in an epoch, in the code's thread, and wait until it was judged.

        Args:
            metrics: The metrics of the epoch.
            is_last: True if the fit ends with it.

        Raises:
            TrialIsOver: The trial is over.
        """
        if self._is_over:
            raise TrialIsOver
        if self._fits > 1 or not self._objective.has_value(metrics) or self._handed_over >= self._most_epochs - 1:
            return
        if is_last:
            self._kept_back = metrics
            return
        self._handed_over += 1
        self._steps.put(OwnStep({**metrics, self._objective.name: self._objective.get_value(metrics)}, False))
        self._goes_on.acquire()
        if self._is_over:
            raise TrialIsOver

    def steps(self) -> Iterator[OwnStep]:
        """Yield the epochs, the last of them with the results of the code. Closing the iterator ends the code.

        Raises:
            BaseException: The code raised it.
        """
        self._thread.start()
        try:
            while True:
                step = self._steps.get()
                if isinstance(step, BaseException):
                    raise step
                yield step
                if step.is_last:
                    return
                self._goes_on.release()
        finally:
            self._is_over = True
            self._goes_on.release()
            self._thread.join(_LEAVING_S)

    def _work(self) -> None:
        try:
            results = self._run()
        except TrialIsOver:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised where the trial takes its next step
            self._steps.put(error)
            return
        # A History tells all epochs, a number or a dictionary is about the whole.
        further = results[self._handed_over :] if len(results) > 1 else results
        last: Any = {**self._kept_back, **(further or results)[-1]}
        for one in further[:-1]:
            self._steps.put(OwnStep(one, False))
        self._steps.put(OwnStep(last, True))
