"""One trial in a worker: its training, its checkpoints, and its failure."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from trainables.constraints.constraint import Constraint, broken_words
from trainables.devices import gpu_memory
from trainables.devices import prepare as devices
from trainables.exits import described, exits_raised, is_of_the_code
from trainables.internals.unused_tensorflow import unused_tensorflow
from trainables.report import Epoch, Met, Report
from trainables.settings import InvalidTrainable, TrialSettings, unwrap
from trainables.storage.architecture import architecture
from trainables.storage.background_writer import BackgroundWriter, Pending
from trainables.storage.checkpoint import CheckpointError, Snapshot
from trainables.storage.file_format import NewerFormatError
from trainables.storage.origin import Origin, history_of
from trainables.storage.store import CheckpointStore, checkpoint_store
from trainables.training.takeover import take_over

_LONGEST_ERROR = 2000
Result = TypeVar("Result")


class TrialTraining(Protocol):
    """The training of a trial: one ``Training``, or several of them as ``Executions``.

    Attributes:
        epoch: The number of epochs trained.
        last: The last epoch; None before there is one.
    """

    epoch: int
    last: Epoch | None

    @property
    def model(self) -> Any:
        """A compiled Keras model of the configuration."""

    @property
    def ended(self) -> bool:
        """True if nothing is left to train."""

    @property
    def measured(self) -> Mapping[str, float]:
        """The measurements of the model, made before it is trained, by name."""

    @property
    def unsaved(self) -> list[str]:
        """Parts of the training that a continued trial would not restore, in words."""

    @property
    def notes(self) -> list[str]:
        """Sentences about how the data is read, for the journal; each of them once a run."""

    def run_epoch(self) -> Epoch:
        """Train one more epoch, and keep the weights if it is the best."""

    def end(self) -> None:
        """End the work of optimizers and callbacks."""

    def snapshot(self) -> Snapshot:
        """Return a copy of everything that another process needs to go on."""

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot; one that does not fit leaves a training that must be built again."""

    def retire(self) -> None:
        """Leave the models to the worker's next trial."""


class Trial:
    """One trial of a worker.

    Whatever the trainable raises is kept as the trial's failure, so that the worker can go on with the next trial.

    Args:
        config: The configuration, with the control values of the trial.
        settings: The settings of the run.
        writer: Writes the checkpoints of all trials of this worker.
        notes: Collects what the driver should know: pairs of a trial's number, None for the run, and a line.
        build: Builds the training of the trial; called by the first step.

    Attributes:
        number: The trial's number.
        parameters: The value of each parameter, by its name.
        gpus: The trial's GPUs; None: those that the process sees already.
        failure: The report about what went wrong; None: nothing has.
        raised: The exception that was the failure.
        find_met: Returns what the trial's own code asked for beside its configuration, after a report; None if that is
            known. Code that asks for parameters sets it.
    """

    find_met: Callable[[Report], Met | None] | None = None

    def __init__(
        self,
        config: dict[str, Any],
        settings: TrialSettings,
        writer: BackgroundWriter,
        notes: list[tuple[int | None, str]],
        build: Callable[[Trial], TrialTraining],
    ) -> None:
        self.parameters, control = unwrap(config)
        self.number = control.trial
        self.gpus = settings.gpus if control.gpus is None else control.gpus
        self.failure: Report | None = None
        self.raised: BaseException | None = None
        self._settings = settings
        self._writer = writer
        self._notes = notes
        self._build = build
        self._donor = control.donor
        needed = settings.milestones if settings.waits_at_milestones else ()
        self._store = None if settings.folder is None else checkpoint_store(settings.folder, self.number, needed)
        self._origin = Origin(self.parameters, control.reported)
        self._epochs: list[Epoch] = []
        self._unknown_to_driver: list[Epoch] = []
        self._training: TrialTraining | None = None
        self._repeats_epoch = False
        self._architecture: str | None = None
        self._unsaved: set[str] = set()
        self._saved_epoch = 0
        self._saved_at_s = time.monotonic()
        self._guarded(self._prepare)

    @property
    def training(self) -> TrialTraining:
        """The training, built when it is first needed, which is in the first step.

        A worker that dies in a step is replaced, and the trial is tried again. One that dies in setup is not.
        """
        if self._training is None:
            self._training = self._build(self)
            self._notes += [(None, note) for note in self._training.notes]
            if self._store is not None:
                self._continue_from(self._store)
        return self._training

    def step(self) -> Report:
        """Train one epoch, and return the report about it or about the failure."""
        report = self._guarded(self._step) or self.failure or Report(done=True)
        if self.find_met is not None and (met := self.find_met(report)) is not None:
            return {**report, "met": met}
        return report

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot; the next step trains the epoch after it.

        Raises:
            CheckpointError: The snapshot is that of another model.
        """
        self.training.restore(snapshot)
        self._repeats_epoch = False

    def end(self, timeout_s: float | None = None) -> None:
        """Leave nothing of the trial in this worker but its files.

        Args:
            timeout_s: How long to wait for the files; None: until they are written, or given up.
        """
        if self._training is not None:
            self._guarded(self._finish)
        self._writer.wait(timeout_s)
        if self._training is not None and self.failure is None:
            self._training.retire()
        self._training = None
        devices.release()

    def _prepare(self) -> None:
        if note := devices.prepare(self._settings.cpus, self.gpus):
            self._notes.append((self.number, note))

    def _continue_from(self, store: CheckpointStore) -> None:
        """Continue from the newest checkpoint. Note if one cannot be used, or if none is left."""
        training = self.training
        if self._donor is not None and store.newest(check=self._check_own) is None:
            self._epochs = take_over(training, self._settings.folder or "", *self._donor)
            self._saved_epoch = training.epoch  # the next step trains the epoch after it
            return
        unused: list[CheckpointError] = []
        try:
            snapshot = store.newest(unused.append, self._origin.check)
        except NewerFormatError as error:  # every trial of the run has such checkpoints, and starting again loses them
            raise InvalidTrainable(str(error)) from error
        try:
            if snapshot is not None:
                training.restore(snapshot)
                self._epochs = history_of(snapshot)
                self._unknown_to_driver = self._origin.missing_epochs(snapshot)
        except CheckpointError as error:  # of another model: the code was changed before the run was continued
            unused.append(error)
            self._training = None  # its model may be half of the other
            del training
            devices.release()
            self._training = training = self._build(self)
        if unused:  # a newer one that cannot be used would stand before those to come
            store.remove_after(training.epoch) if training.epoch else store.remove()
        reported = self._origin.reported
        if unused or (reported and not training.epoch):
            why = unused[0] if unused else f"No checkpoint of its {reported} epochs is left in {store}."
            going_on = f"It goes on from epoch {training.epoch}." if training.epoch else "It starts again."
            self._notes.append((self.number, f"{why} {going_on}"[:_LONGEST_ERROR]))
        self._saved_epoch = training.epoch
        # The worker may have died after it wrote its last epoch and before it reported it: it is reported again.
        self._repeats_epoch = training.last is not None

    def _check_own(self, snapshot: Snapshot) -> None:
        """Raise CheckpointError if a checkpoint of this trial is older than the weights that it took over."""
        self._origin.check(snapshot)
        if self._donor is not None and snapshot.epoch <= self._donor[1]:
            raise CheckpointError("It is of the weights that the trial had before.")

    def _step(self) -> Report:
        training = self.training
        if not training.epoch and self._settings.constraints and (refused := self._refusal(training.measured)):
            return Report(done=True, refused=refused)
        if not self._repeats_epoch:
            self._epochs.append(training.run_epoch())
        self._repeats_epoch = False
        last = training.last
        if last is None:
            raise RuntimeError("There is no epoch to report.")
        if training.ended:
            training.end()
        if self._checkpoint_is_due(training):
            self._save(training)
        settings = self._settings
        if training.ended or (settings.waits_at_milestones and training.epoch in settings.milestones):
            self._writer.wait()  # whoever hears that the trial has ended, or is to be paused, must find its weights
        memory = gpu_memory.measured() if self._settings.measures_gpu else None
        unknown, self._unknown_to_driver = self._unknown_to_driver, []
        return last.report(done=training.ended, gpu_memory=memory, earlier_epochs=unknown)

    def _refusal(self, measured: Mapping[str, float]) -> str:
        """Return the constraints that the model breaks before it is trained; "" if it keeps those that are known."""
        known = [each for each in map(Constraint, self._settings.constraints) if measured.keys() >= set(each.names)]
        return "" if self._origin.reported else broken_words(known, measured)

    def _checkpoint_is_due(self, training: TrialTraining) -> bool:
        if training.epoch == self._saved_epoch:
            return False
        waited_s = time.monotonic() - self._saved_at_s
        is_milestone = training.epoch in self._settings.milestones
        return training.ended or is_milestone or waited_s >= self._settings.checkpoint_every_s

    def _save(self, training: TrialTraining) -> None:
        """Copy the trial's state, if it has a folder. The files are written while the training goes on."""
        if self._store is None:
            return
        if self._architecture is None:
            with unused_tensorflow():
                self._architecture = architecture(training.model)
        for reason in training.unsaved:
            if reason not in self._unsaved:
                self._unsaved.add(reason)
                self._notes.append((self.number, f"not exactly resumable: {reason}"[:_LONGEST_ERROR]))
        snapshot = self._origin.written_into(training.snapshot(), self._epochs)
        self._writer.write(Pending(self.number, self._store, snapshot, self._architecture))
        self._saved_epoch, self._saved_at_s = training.epoch, time.monotonic()

    def _finish(self) -> None:
        if self.training.epoch > self._saved_epoch:
            self._save(self.training)
        # After saving: a trial that a scheduler only pauses goes on from its last weights, not from those that an
        # EarlyStopping restores here.
        self.training.end()

    def _guarded(self, work: Callable[[], Result]) -> Result | None:
        """Return what ``work`` returns, or None if it fails, or if the trial has failed before."""
        if self.failure is not None:
            return None
        try:
            with exits_raised():
                return work()
        except InvalidTrainable as mistake:
            self.raised, self.failure = mistake, Report(done=True, mistake=str(mistake))
        except BaseException as error:  # whatever a user's model raises is a row on the leaderboard, sys.exit too
            if not is_of_the_code(error):
                raise
            message = described(error)[:_LONGEST_ERROR]
            self.raised = error
            self.failure = Report(done=True, error=message, traceback=traceback.format_exc())
        self._keep_best()
        return None

    def _keep_best(self) -> None:
        """Save the state of a failed trial: it is ranked by its best epoch, whose weights must be there.

        Even a mistake in the declaration may show after good epochs, when a model stops reporting its objective.
        """
        if self._training is not None and self._training.epoch > self._saved_epoch:
            with suppress(Exception):  # what failed may be this very saving
                self._save(self._training)
                self._writer.wait()
