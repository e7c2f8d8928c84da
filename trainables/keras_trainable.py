"""KerasTrainable: a Keras model as a class trainable of Ray Tune, one step an epoch."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

from trainables.before_ray.tune_base import Overridable, TuneBase, derive_from_tune, import_tune
from trainables.data import Data
from trainables.devices import replicas
from trainables.exits import described
from trainables.fit_options import FitOptions
from trainables.hypergradient.declaration import Hypergradient
from trainables.opening import WorkerData
from trainables.report import Report, left_out
from trainables.settings import TrialSettings
from trainables.storage import checkpoint
from trainables.storage.background_writer import BackgroundWriter
from trainables.storage.store import require
from trainables.trial import Trial, TrialTraining

if TYPE_CHECKING:
    import keras

_LEAVING_S = 20.0
_OWN = "_KerasTrainable__own"  # the name that ``self.__own`` has here


class KerasTrainable(TuneBase):
    """The base class of everything that is trained: define ``build_model`` and ``load_data`` in a subclass.

    One instance is a worker. It trains one trial after another, and each ``step`` trains one epoch.

    The class is a plain Ray Tune trainable too: ``tune.Tuner(MyTrainable, param_space={…})`` works. In a run, Ray gets
    ``trainables.worker.Worker`` instead, which holds an instance of the class. A subclass may therefore use the names
    of Ray's Trainable (``stop``, ``train``, ``config``, …) for its own purposes.

    A trial that fails says so in its report and does not raise: the worker, whose imports took seconds, goes on with
    the next trial, and the traceback reaches the journal. Only under plain Ray Tune does it raise.

    Attributes:
        batch_size: Examples per batch when the configuration has no ``batch_size``.
        opens_data_in_workers: Whether each worker calls ``load_data`` for itself, and the driver never does. Without
            it, the driver finds out: it sends arrays to the workers, and lets each open what cannot be sent.
        data_cpus: CPUs that no trial gets, because the tasks of a ``ray.data.Dataset`` need them. None: one, if the
            driver finds that a split is such a data set, else none.
        reuse_models: Whether a worker trains a compiled model again, with fresh variables, if a later trial's model
            differs from it in its variables only, and holds no code that is not Keras's own.
        hypergradient: The rates that follow the gradient of the validation loss while a trial runs; None: none does.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from trainables import Data, KerasTrainable, TrialSettings
        >>> class Line(KerasTrainable):
        ...     def load_data(self):
        ...         x = np.linspace(0, 1, 64, dtype="float32").reshape(-1, 1)
        ...         return Data(train=(x, 2 * x), validation=(x, 2 * x))
        ...
        ...     def build_model(self, config):
        ...         model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        ...         model.compile(keras.optimizers.SGD(config["learning_rate"]), "mse")
        ...         return model
        >>> trial = Line.standalone({"learning_rate": 0.1}, settings=TrialSettings("val_loss", "min", max_epochs=2))
        >>> first, second = trial.step(), trial.step()
        >>> first["epoch"], second["epoch"], second["done"]
        (1, 2, True)
        >>> second["metrics"]["val_loss"] < first["metrics"]["val_loss"]
        True
        >>> trial.cleanup()
    """

    batch_size: int = 32
    opens_data_in_workers: bool = False
    data_cpus: float | None = None
    reuse_models: bool = True
    hypergradient: Hypergradient | None = None
    __beside: WorkerData | None = None
    __own: SimpleNamespace

    def __init__(self, *args: Any, **options: Any) -> None:
        """Make an instance without a trial; with the arguments that plain Ray Tune gives, a worker."""
        if args or options:
            import_tune()
            super().__init__(*args, **options)

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        """Return the compiled model of a configuration. Override this method.

        Keras, NumPy and Python are seeded already, so nothing in it needs a seed of its own.

        A model that depends on the data is built by a method with one more parameter,
        ``build_model(self, config, data)``: it is given a ``TrainingView``, with the shapes, the number of classes, and
        the training examples for a Normalization or a vocabulary.

        Args:
            config: The value of each parameter, by its name.

        Returns:
            A compiled ``keras.Model``.
        """
        raise NotImplementedError

    def load_data(self) -> Data:
        """Return the data of all trials. Override this method.

        A run calls it once, in the driver, before there is a trial: ``self`` has no configuration then. The workers
        share the arrays and never see the test examples. What cannot be sent to them, such as a ``tf.data.Dataset``,
        each worker opens for itself: it calls this method once, and keeps what it returns for all its trials.
        """
        raise NotImplementedError

    def prepare(self, data: Data, config: dict[str, Any]) -> Data:  # noqa: ARG002 - for subclasses
        """Return the data as one configuration needs it: in its batches, its image size, its window, its features.

        Override this method if the data depends on the configuration. By default it does not. A worker calls it once a
        trial, with the data that all trials share: return another ``Data``, and leave this one as it is.

        Args:
            data: What ``load_data`` returned; without the test split where a run trains.
            config: The value of each parameter, by its name.
        """
        return data

    def fit_options(self, config: dict[str, Any]) -> FitOptions:  # noqa: ARG002 - for subclasses
        """Return how the epochs of a configuration are fitted: callbacks, weights, augmentation, batches.

        Override this method if the model needs any of them. By default it needs none.

        Args:
            config: The value of each parameter, by its name.
        """
        return FitOptions()

    @classmethod
    def standalone(
        cls,
        config: dict[str, Any] | None = None,
        data: Data | None = None,
        settings: TrialSettings | None = None,
        beside: Self | None = None,
    ) -> Self:
        """Return an instance without Ray, for tests and for work outside a run.

        Args:
            config: The configuration to train; None: the instance only loads data and builds models.
            data: The data to train on; None: what ``load_data`` returns.
            settings: The settings that a run would give; None: the defaults. With None, ``step`` raises what the
                trial's own code raises.
            beside: An instance that has begun a trial in this process, to share its data: ``trainables.together``.

        Returns:
            A worker that has begun its first trial. Call ``cleanup`` when nothing more is to be trained.

        Raises:
            FileNotFoundError: The folder of the settings does not exist.
        """
        trainable = cls()
        if beside is not None:
            object.__setattr__(trainable, "_KerasTrainable__beside", beside.__own.kept)  # noqa: SLF001 - of this class
        if config is not None:
            trainable.setup(config, data=data, settings=settings)
        return trainable

    @classmethod
    def from_hypermodel(cls, build_model: Any, load_data: Callable[[], Data], **options: Any) -> type[KerasTrainable]:
        """Return a subclass of a KerasTuner ``build_model(hp)``. It has the space that is asked for, as ``space``.

        Args:
            build_model: A function of ``hp`` that returns a compiled model, or a ``kt.HyperModel``.
            load_data: Returns the data.
            options: ``batch_size``, and ``fit_options``, a function of ``hp`` that returns ``FitOptions``.
        """
        # By its name: this package knows neither spaces nor KerasTuner, and only such a trainable needs them.
        module = import_module("tune_jobs.keras_tuner.trials.from_hypermodel")
        return cast(type[KerasTrainable], module.trainable_from_hypermodel(cls, build_model, load_data, **options))

    # Ray Tune's interface.

    def setup(self, config: dict[str, Any], data: Data | None = None, settings: TrialSettings | None = None) -> None:
        """Begin the first trial of this worker.

        Args:
            config: The configuration, with the control values of the trial: see ``settings.ControlValues``.
            data: The data to train on; None: what ``load_data`` returns. In a run it is called when the first trial is
                built, so that what it raises is reported.
            settings: The settings of the run; None under plain Ray Tune.

        Raises:
            FileNotFoundError: This node does not see the run's folder.
            OSError: This node cannot read the run's object store.
        """
        require((settings or TrialSettings()).folder)
        own = SimpleNamespace(is_in_a_run=settings is not None, writer=BackgroundWriter(), notes=[], kept=self.__beside)
        own.settings = settings or TrialSettings()
        object.__setattr__(self, _OWN, own)  # `self.__own = own` fails in a frozen dataclass of the user's
        own.trial = self.__begin(config)
        if own.kept is None:
            own.kept = WorkerData(data if data is not None or settings is not None else self.load_data())

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """End this worker's trial and begin another one in its place.

        Args:
            new_config: The configuration of the next trial, with its control values.

        Returns:
            True, as Ray expects of a worker that can go on.
        """
        self.__own.trial.end()
        self.__own.trial = self.__begin(new_config)
        return True

    def step(self) -> Report:
        """Train one epoch.

        Returns:
            The report about the epoch, or about what went wrong.
        """
        report: Report = self.__own.trial.step()
        raised = self.__own.trial.raised
        if raised is not None and not self.__own.is_in_a_run:  # plain Ray Tune knows no other way to tell
            if isinstance(raised, Exception):
                raise raised
            raise RuntimeError(described(raised)) from raised  # as it is, it would end the worker
        notes = [*self.__own.notes, *self.__own.writer.take_notes()]
        self.__own.notes.clear()
        return {**report, "notes": notes} if notes else report

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write the trial's state into an existing directory."""
        checkpoint.write(Path(checkpoint_dir), self.__own.trial.training.snapshot())

    def load_checkpoint(self, checkpoint_dir: Any) -> None:
        """Continue from the state that ``save_checkpoint`` wrote into a directory.

        Raises:
            CheckpointError: The state cannot be read, or is that of another model.
        """
        self.__own.trial.restore(checkpoint.read(Path(checkpoint_dir)))

    def cleanup(self) -> None:
        """End the last trial of this worker. It may have to leave soon, so it waits for files 20 s at most."""
        self.__own.trial.end(_LEAVING_S)

    @Overridable
    def current_trial(self) -> Trial:
        """Return the trial that this worker trains."""
        return cast(Trial, self.__own.trial)

    def wait_until_saved(self) -> None:
        """Return when every checkpoint so far is in the run's folder, or was given up."""
        self.__own.writer.wait()

    def __begin(self, config: dict[str, Any]) -> Trial:
        begin = type(self)._begin_training  # noqa: SLF001 - by the class: users may set attributes of the instance
        return Trial(config, self.__own.settings, self.__own.writer, self.__own.notes, lambda trial: begin(self, trial))

    def _begin_training(self, trial: Trial) -> TrialTraining:
        """Return the training of a trial that begins. A class whose epochs are not those of ``fit`` overrides it."""
        from trainables.training.training import Training

        settings, kept = self.__own.settings, self.__own.kept
        with replicas.device_scope(trial.gpus):
            devices = replicas.count_devices(trial.gpus)
            data = replicas.cut_evenly(kept.opened(self, settings), trial.parameters, self.batch_size, devices)
            cache = kept.cache_of(data, keeps_models=self.reuse_models, executions=settings.executions)
            if settings.executions == 1:
                return Training(self, trial.parameters, data, settings, trial.number, cache=cache)
            from trainables.training.executions import Executions

            return Executions(self, trial.parameters, data, settings, trial.number, cache)


def train_epoch(held: KerasTrainable, config: dict[str, Any] | None = None) -> Report:
    """Train an epoch with an instance that has a trial, and return the report about it.

    Args:
        held: The instance.
        config: The configuration of the trial that begins with this epoch; None: the trial of the last one goes on.
    """
    kind = type(held)  # an attribute that the user has set on the instance is not meant
    if config is not None:
        before, goes_on = _trial_of(held), kind.reset_config(held, config)
        if not goes_on or (before is not None and _trial_of(held) is before):
            return left_out(kind, "reset_config did not begin the next trial", "reset_config(new_config)")
    report: object = kind.step(held)
    if isinstance(report, dict):
        return cast(Report, report)
    return left_out(kind, f"step returned a {type(report).__name__}", "step()")


def _trial_of(held: KerasTrainable) -> Any:
    return getattr(vars(held).get(_OWN), "trial", None)


derive_from_tune(KerasTrainable)
