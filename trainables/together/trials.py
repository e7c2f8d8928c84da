"""Trials that train together in one process: those with equal models in one program of JAX, the others one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trainables.data import Data
from trainables.exits import described
from trainables.keras_trainable import KerasTrainable, train_epoch
from trainables.lanes.lane import Lane
from trainables.lanes.meeting import Meeting
from trainables.report import Report
from trainables.settings import TrialSettings, unwrap

_NO_STEPS = (
    "it takes turns with the other trials of its worker, and is not trained together with them: its data is no array, "
    "or it has an augmentation or steps of its own, or is compiled with `run_eagerly` or without `jit_compile`, "
    "or has another backend than JAX"
)
_NO_TRACES = (
    "it takes turns with the other trials of its worker, and is not trained together with them: its model has code "
    "that is not Keras's own, or a callback changes it"
)


class TrainedTogether:
    """Trials of one class that share a process, its data and its compiled programs, each in a lane of its own.

    Every trial is one of ``KerasTrainable.standalone``, with its own model, callbacks, random numbers and checkpoints.
    Where the next steps of several lanes are equal but for the values of their variables (weights, optimizer, learning
    rates, seeds) and for the order of their examples, Keras on JAX computes them as one program. The results are those
    of a trial alone within rounding. Everything else is done lane by lane.

    Args:
        kind: The class.
        data: The data of all trials; None: what ``load_data`` returns.
        settings: The settings of the run; None: the defaults.
        notes: Sentences for the driver, which the first report tells.

    Attributes:
        meeting: The meeting of the lanes, which counts what was done together.

    Example:
        >>> from trainables import TrialSettings
        >>> from trainables.examples.digits_mlp import DigitsMlp
        >>> from trainables.together import TrainedTogether
        >>> together = TrainedTogether(DigitsMlp, settings=TrialSettings(max_epochs=1))
        >>> together.lanes
        ()
    """

    def __init__(
        self,
        kind: type[KerasTrainable],
        data: Data | None = None,
        settings: TrialSettings | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.meeting = Meeting()
        self._kind = kind
        self._data = data
        self._settings = settings or TrialSettings()
        self._notes = list(notes)
        self._lanes: dict[int, Lane] = {}
        self._held: dict[int, KerasTrainable] = {}
        self._numbers: dict[int, int] = {}
        self._told: dict[int, str] = {}

    @property
    def lanes(self) -> tuple[int, ...]:
        """The numbers of the lanes that have had a trial."""
        return tuple(self._held)

    def held(self, lane: int) -> KerasTrainable:
        """Return the instance of the class that a lane holds."""
        return self._held[lane]

    def train(self, configs: Mapping[int, dict[str, Any] | None]) -> dict[int, Report]:
        """Train an epoch in each of some lanes.

        Args:
            configs: For each lane the configuration of the trial that begins with this epoch, which ends the one
                before; None: the lane's trial goes on.

        Returns:
            The report of each lane. One that failed has an ``error``, and the others go on.
        """
        failures = dict(self.meeting.failures)
        works = {number: self._work(number, config) for number, config in configs.items()}
        self.meeting.work({self._lane(number): work for number, work in works.items()})
        reports = {number: self._lanes[number].result() for number in configs}
        notes, self._notes = self._notes, []
        notes += [
            f"training trials together failed, so that these train alone from now on: {described(error)}"
            for work, error in self.meeting.failures.items()
            if work not in failures
        ]
        for number, report in reports.items():
            lines = notes if number == next(iter(reports)) else []
            is_first = configs[number] is not None
            if len(reports) > 1 and (why := self._why_alone(number, is_first=is_first)):
                lines = [*lines, why]
            if lines:
                told = [*report.get("notes", ()), *((self._numbers[number], line) for line in lines)]
                reports[number] = {**report, "notes": told}
        return reports

    def cleanup(self) -> None:
        """End the trials of all lanes, and the lanes."""
        self.meeting.work({self._lanes[number]: self._cleanup(number) for number in self._held})
        for number in self._held:
            self._lanes[number].close()
            self._lanes[number].result()
        self._lanes.clear()
        self._held.clear()

    def wait_until_saved(self) -> None:
        """Return when every checkpoint so far is in the run's folder, or was given up."""
        for held in self._held.values():
            held.wait_until_saved()

    def _lane(self, number: int) -> Lane:
        if number not in self._lanes:
            self._lanes[number] = Lane()
        return self._lanes[number]

    def _work(self, number: int, config: dict[str, Any] | None) -> Callable[[], Report]:
        def work() -> Report:
            held = self._held.get(number)
            if held is None:
                beside = next(iter(self._held.values()), None)
                held = self._held[number] = self._kind.standalone(config, self._data, self._settings, beside)
                return train_epoch(held)
            return train_epoch(held, config)

        if config is not None:
            self._numbers[number] = unwrap(config)[1].trial
            self._told.pop(number, None)
        elif number not in self._held:
            raise KeyError(f"Lane {number} has no trial that could go on: give it a configuration.")
        return work

    def _cleanup(self, number: int) -> Callable[[], None]:
        held = self._held[number]
        return lambda: type(held).cleanup(held)

    def _why_alone(self, number: int, *, is_first: bool) -> str | None:
        """Return why a lane's trial did nothing together with others in its last epoch; None if it did, or was told.

        The first report says nothing about steps: it may repeat the last epoch before a pause, or tell of a failure.
        """
        total, shareable = self._lanes[number].requests
        without_steps = None if is_first else _NO_STEPS
        why = without_steps if not total else None if shareable else _NO_TRACES
        if why is None or number in self._told:
            return None
        self._told[number] = why
        return why
