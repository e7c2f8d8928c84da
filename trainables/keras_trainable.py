"""KerasTrainable: a Keras model as a class trainable of Ray Tune, one step an epoch."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ray import tune

from trainables.data import Data
from trainables.devices import gpu_memory, replicas
from trainables.devices import prepare as devices
from trainables.fit_options import FitOptions
from trainables.report import Report
from trainables.settings import InvalidTrainable, TrialSettings, unwrap
from trainables.storage import checkpoint
from trainables.storage.background_writer import BackgroundWriter, Pending
from trainables.storage.checkpoint import CheckpointError
from trainables.storage.store import CheckpointStore, checkpoint_store, require

if TYPE_CHECKING:
    import keras

    from trainables.reuse.worker_cache import WorkerCache
    from trainables.training.executions import TrialTraining

_LEAVING_S = 20.0
_LONGEST_ERROR = 2000

Result = TypeVar("Result")


class KerasTrainable(tune.Trainable):
    """What is trained. Subclass it and define ``build_model`` and ``load_data``; the rest is done.

    Also a plain Ray Tune trainable: ``tune.Tuner(MyTrainable, param_space={…})`` works.

    A trial that fails does so in what it reports, not by raising: the worker, whose imports took seconds,
    goes on with the next trial, and the traceback reaches the journal.

    Attributes:
        batch_size: Examples per batch when the configuration has no ``batch_size``.
        reuse_models: Whether a worker trains a compiled model again, with fresh variables, when a later trial's is the
            same but for them. It is never done where a model holds code that is not Keras's own.
    """

    batch_size: int = 32
    reuse_models: bool = True

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Makes the compiled model of a configuration. Everything random in it is seeded already."""
        raise NotImplementedError

    def load_data(self) -> Data:
        """Loads the data: once a run, in the driver, before there is a trial (``self`` is not configured)."""
        raise NotImplementedError

    def fit_options(self, config: dict[str, Any]) -> FitOptions:  # noqa: ARG002 - for subclasses
        """How an epoch is fitted: callbacks, class and sample weights, augmentation. By default, plainly."""
        return FitOptions()

    @classmethod
    def standalone(
        cls,
        config: dict[str, Any] | None = None,
        data: Data | None = None,
        settings: TrialSettings | None = None,
    ) -> Self:
        """An instance without Ray, for tests and for work outside a run.

        Args:
            config: The configuration to train; None gives an instance that only loads data and builds models.
            data: What to train on; None: ``load_data`` is asked.
            settings: What a run would say.
        """
        trainable: Self = cls.__new__(cls)
        if config is not None:
            trainable.setup(config, data=data, settings=settings)
        return trainable

    # Ray Tune's interface.

    def setup(self, config: dict[str, Any], data: Data | None = None, settings: TrialSettings | None = None) -> None:
        """Begins the first trial of this worker."""
        self._settings = settings or TrialSettings()
        require(self._settings.folder)
        self._is_in_a_run = settings is not None
        self._writer = BackgroundWriter()
        self._notes: list[tuple[int, str]] = []
        self._begin(config)
        self._data = data if data is not None else self.load_data()
        self._cache: WorkerCache | None = None

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Ends this worker's trial and begins another one in its place."""
        self._end()
        self._begin(new_config)
        return True

    def step(self) -> Report:  # type: ignore[override]  # Ray declares a dict, which a report is
        """Train one epoch.

        Returns:
            The report about the epoch, or about what went wrong.
        """
        report = self._guarded(self._step)
        if report is None and not self._is_in_a_run and self._raised is not None:
            raise self._raised  # plain Ray Tune knows no other way to tell
        report = report or self._failure or Report(done=True)
        notes = [*self._notes, *self._writer.take_notes()]
        self._notes = []
        return {**report, "notes": notes} if notes else report

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Writes the trial's state into a directory."""
        checkpoint.write(Path(checkpoint_dir), self._running().snapshot())

    def load_checkpoint(self, checkpoint_dir: Any) -> None:
        """Continues from what ``save_checkpoint`` wrote."""
        self._running().restore(checkpoint.read(Path(checkpoint_dir)))
        self._repeated = False

    def cleanup(self) -> None:
        """Ends the last trial of this worker, which may have to leave soon."""
        self._end(_LEAVING_S)

    def wait_until_saved(self) -> None:
        """Returns when every checkpoint so far is on disk, or was given up."""
        self._writer.wait()

    # One trial.

    def _begin(self, config: dict[str, Any]) -> None:
        self._parameters, control = unwrap(config)
        self._trial, self._reported = control.trial, control.reported
        self._gpus = self._settings.gpus if control.gpus is None else control.gpus
        folder = self._settings.folder
        self._store = None if folder is None else checkpoint_store(folder, self._trial)
        self._training: TrialTraining | None = None
        self._failure: Report | None = None
        self._raised: Exception | None = None
        self._repeated = False
        self._architecture: str | None = None
        self._saved_epoch = 0
        self._saved_at_s = time.monotonic()
        self._guarded(self._prepare)

    def _prepare(self) -> None:
        if note := devices.prepare(self._settings.cpus, self._gpus):
            self._notes.append((self._trial, note))

    def _running(self) -> TrialTraining:
        """The trial's training, built by the first step: a worker that dies there is tried again, in setup not."""
        if self._training is None:
            with replicas.scope(self._gpus):
                data = replicas.even(self._data, self._parameters, self.batch_size, replicas.count(self._gpus))
                self._training = self._begin_training(data)
            if self._store is not None:
                self._continue_from(self._store, self._training)
        return self._training

    def _begin_training(self, data: Data) -> TrialTraining:
        from trainables.reuse.worker_cache import WorkerCache
        from trainables.training.training import Training

        executions = self._settings.executions
        if self._cache is None or self._cache.inputs.data is not data:
            self._cache = WorkerCache(data, keeps_models=self.reuse_models, executions=executions)
        if executions == 1:
            return Training(self, self._parameters, data, self._settings, self._trial, cache=self._cache)
        from trainables.training.executions import Executions

        return Executions(self, self._parameters, data, self._settings, self._trial, self._cache)

    def _continue_from(self, store: CheckpointStore, training: TrialTraining) -> None:
        """Goes on from the newest checkpoint; where one cannot be used, or there is none any more, a note says so."""
        unused: list[CheckpointError] = []
        snapshot = store.newest(unused.append)
        try:
            if snapshot is not None:
                training.restore(snapshot)
        except CheckpointError as error:  # of another model: the code was changed before the run was continued
            unused.append(error)
        if unused or (self._reported and not training.epoch):
            why = unused[0] if unused else f"No checkpoint of its {self._reported} epochs is left in {store}."
            going_on = f"It goes on from epoch {training.epoch}." if training.epoch else "It starts again."
            self._notes.append((self._trial, f"{why} {going_on}"[:_LONGEST_ERROR]))
        self._saved_epoch = training.epoch
        # Its last epoch may have been written but not reported before the worker died: it is reported again.
        self._repeated = training.last is not None

    def _step(self) -> Report:
        training = self._running()
        if not self._repeated:
            training.run_epoch()
        self._repeated = False
        last = training.last
        if last is None:
            raise RuntimeError("There is no epoch to report.")
        if training.ended:
            training.end()
        if self._checkpoint_is_due():
            self._save()
        if training.ended:
            self._writer.wait()  # nothing goes on with a trial that reported its end: its weights are there by then
        memory = gpu_memory.measured() if self._settings.measures_gpu else None
        return last.report(done=training.ended, gpu_memory=memory)

    def _checkpoint_is_due(self) -> bool:
        training = self._running()
        if self._store is None or training.epoch == self._saved_epoch:
            return False
        waited_s = time.monotonic() - self._saved_at_s
        return (
            training.ended
            or training.epoch in self._settings.milestones
            or waited_s >= self._settings.checkpoint_every_s
        )

    def _save(self) -> None:
        """Copies the trial's state; its files are written while the training goes on."""
        training, store = self._running(), self._store
        if store is None:
            raise RuntimeError("There is no folder to save in.")
        if self._architecture is None:
            self._architecture = checkpoint.architecture(training.model)
        self._writer.write(Pending(self._trial, store, training.snapshot(), self._architecture))
        self._saved_epoch, self._saved_at_s = training.epoch, time.monotonic()

    def _end(self, patience_s: float | None = None) -> None:
        """Leaves nothing of the trial in this worker but what is on disk."""
        if self._training is not None:
            self._guarded(self._finish)
        self._writer.wait(patience_s)
        if self._training is not None and not self._failure:
            self._training.retire()
        self._training = None
        devices.release()

    def _finish(self) -> None:
        training = self._running()
        if self._store is not None and training.epoch > self._saved_epoch:
            self._save()
        # After saving: a trial that a scheduler only pauses goes on from its last weights, not from those
        # that an EarlyStopping restores here.
        training.end()

    def _guarded(self, work: Callable[[], Result]) -> Result | None:
        """Return what ``work`` returns, or None after a failure of it, or before it: see ``_failure``."""
        if self._failure:
            return None
        try:
            return work()
        except InvalidTrainable as mistake:
            self._raised = mistake
            self._failure = Report(done=True, mistake=str(mistake))
            self._keep_best()  # a model may stop reporting its objective after good epochs
        except Exception as error:  # noqa: BLE001 - whatever a user's model raises is a row on the leaderboard
            self._raised = error
            message = " ".join(f"{type(error).__name__}: {error}".split())
            self._failure = Report(done=True, error=message[:_LONGEST_ERROR], traceback=traceback.format_exc())
            self._keep_best()
        return None

    def _keep_best(self) -> None:
        """Saves what a failed trial had: it is ranked by its best epoch, so that epoch's weights must be there."""
        training = self._training
        if self._store is not None and training is not None and training.epoch > self._saved_epoch:
            with suppress(Exception):  # what failed may be this very saving
                self._save()
                self._writer.wait()
