"""Pairs of a kind of model and a kind of data, trained in this process, each beside plain Keras."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from search_spaces import Float, SearchSpace
from tests.support import runs
from tests.support.kinds import KINDS
from tests.support.kinds.data import data
from tests.support.kinds.registry import ModelKind
from trainables import Data, FitOptions, KerasTrainable, TrialSettings
from trainables.internals.global_state import forget_names, set_seed
from trainables.random_streams import trial_seed
from trainables.report import Report
from trainables.settings import ControlValues
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, RunEnded, RunStarted, Status, TrialEnded, TrialStarted
from tune_jobs.results.layout import TRIALS_FOLDER
from tune_jobs.results.run import Run

EPOCHS = 2
RATE = 0.05
BATCH_SIZE = 8
_ALL = 1024  # compiled, Keras does not weigh the loss of one output of several by the size of a batch


class Cell(KerasTrainable):
    """A kind of model on a kind of data. Subclasses say which."""

    batch_size = BATCH_SIZE
    model_kind: str
    data_kind: str
    run_eagerly = True
    options: Mapping[str, Any] = {}

    def load_data(self) -> Data:
        return data(self.data_kind)

    def build_model(self, config: dict[str, Any]) -> Any:
        model = KINDS[self.model_kind].build(config["rate"])
        if self.run_eagerly and not model.jit_compile and not KINDS[self.model_kind].is_traced:
            model.run_eagerly = True  # tracing takes longer than all epochs
        return model

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=KINDS[self.model_kind].callbacks(), **self.options)


def cell(model_kind: str, data_kind: str, *, run_eagerly: bool, **options: Any) -> type[Cell]:
    """Return a trainable.

    Args:
        model_kind: The kind of model.
        data_kind: The kind of data.
        run_eagerly: Whether nothing is traced.
        options: Fit options beside the callbacks.
    """
    attributes = {"model_kind": model_kind, "data_kind": data_kind, "run_eagerly": run_eagerly, "options": options}
    return type("Cell", (Cell,), {**attributes, "__module__": __name__})


@dataclass(frozen=True)
class Trained:
    """A trial of one pair, trained to its end in a run.

    Attributes:
        trainable: The trainable.
        experiment: The experiment of the run.
        run: The run.
        after_one_epoch: The folder of trials as it was after the first epoch.
        reports: The report of each epoch.
        weights: The weights of the model after each epoch.
        model: The model with the weights of the best epoch.
    """

    trainable: type[Cell]
    experiment: Experiment
    run: Run
    after_one_epoch: Path
    reports: Sequence[Report]
    weights: Sequence[Sequence[np.ndarray]]
    model: Any

    @property
    def kind(self) -> ModelKind:
        """The kind of model."""
        return KINDS[self.trainable.model_kind]

    def build(self) -> Any:
        """Return a model of the kind, as another process would build it."""
        forget_names()
        return self.trainable.standalone().build_model({"rate": RATE})

    def with_options(self, **options: Any) -> type[Cell]:
        """Return the trainable with fit options beside its callbacks."""
        trainable = self.trainable
        return cell(trainable.model_kind, trainable.data_kind, run_eagerly=trainable.run_eagerly, **options)

    def test(self) -> tuple[Any, ...]:
        """Return the test set."""
        return data(self.trainable.data_kind).test or ()

    def predictions(self, model: Any = None) -> list[np.ndarray]:
        """Return what a model predicts for the test set: by default the trained one."""
        return predict(self.model if model is None else model, self.test()[0])


def predict(model: Any, x: Any) -> list[np.ndarray]:
    """Return the outputs of a model one after the other, as a caller of the model gets them."""
    return [np.asarray(output) for output in keras.tree.flatten(model(_tensors(x), training=False))]


def _tensors(arrays: Any) -> Any:
    return keras.tree.lists_to_tuples(keras.tree.map_structure(_tensor, arrays))


def _tensor(array: np.ndarray) -> Any:
    import tensorflow as tf

    return tf.constant(array)


def evaluate_plainly(model: Any, split: Sequence[Any]) -> dict[str, float]:
    """Return what plain Keras says of a model on a split."""
    x, y, *weights = (_tensors(part) for part in split)
    dataset = _dataset((x, y, *weights), _ALL)
    return _numbers(model.evaluate(dataset, return_dict=True, verbose=0))


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if np.ndim(value) == 0}


def _dataset(parts: Any, batch_size: int = BATCH_SIZE) -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(parts).batch(batch_size)


def settings_of(folder: Path | None = None, **changes: Any) -> TrialSettings:
    """Return the settings of a trial that has not ended after its epochs.

    With a folder, which is made, it writes a checkpoint after each epoch.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    where = {} if folder is None else {"folder": str(folder), "milestones": tuple(range(1, EPOCHS + 1))}
    return TrialSettings(metric="val_loss", mode="min", max_epochs=EPOCHS + 1, **(where | changes))


def begin(trainable: type[Cell], settings: TrialSettings | None = None, part: Data | None = None) -> Cell:
    """Return a worker that has begun the trial of a pair."""
    forget_names()  # a worker is a process of its own
    return trainable.standalone(ControlValues(0).wrap({"rate": RATE}), part, settings or settings_of())


def step(worker: Cell) -> Report:
    """Return the report of an epoch that did not fail."""
    report = worker.step()
    problem = report.get("mistake") or report.get("traceback")
    assert not problem, problem
    return report


def train_pair(storage: Path, trainable: type[Cell]) -> Trained:
    """Train a pair in a run.

    Args:
        storage: The folder in which the run's folder is made.
        trainable: The trainable.
    """
    space, objective = SearchSpace(rate=Float(1e-3, 1.0)), Objective("val_loss", "min")
    experiment = Experiment(trainable, space, objective, trials=1, max_epochs=EPOCHS)
    folder = storage / "run" / TRIALS_FOLDER
    trial = _Trial(storage / "after_one_epoch", folder, trainable)
    run = runs.make_run(storage, "run", trial.events(), experiment=experiment, experiment_name="table")
    model = trial.model
    model.set_weights(trial.weights[run.history().trials[0].best(objective).epoch - 1])
    return Trained(trainable, experiment, run, trial.copy, trial.reports, trial.weights, model)


class _Trial:
    def __init__(self, copy: Path, folder: Path, trainable: type[Cell]) -> None:
        self.copy, self.folder, self.trainable = copy, folder, trainable
        self.reports: list[Report] = []
        self.weights: list[list[np.ndarray]] = []
        self.model: Any = None

    def events(self) -> Iterator[Event]:
        yield RunStarted(time_s=1.0, cpus=1, gpus=0, max_concurrent_trials=1)
        yield TrialStarted(time_s=2.0, trial=0, config={"rate": RATE}, node="host")
        worker = begin(self.trainable, settings_of(self.folder))
        for epoch in range(1, EPOCHS + 1):
            report = step(worker)
            self.model = worker.current_trial.training.model
            self.reports.append(report)
            self.weights.append(self.model.get_weights())
            if epoch == 1:
                worker.wait_until_saved()
                shutil.copytree(self.folder, self.copy)
            yield EpochReported(time_s=3.0, trial=0, epoch=epoch, metrics=report["metrics"], seconds=report["seconds"])
        worker.cleanup()
        yield TrialEnded(time_s=4.0, trial=0, status=Status.COMPLETED, reason="why", error=None)
        yield RunEnded(time_s=5.0, reason="all trials", error=None)


def fit_plainly(trainable: type[Cell], part: Data | None = None, weights: np.ndarray | None = None) -> dict[str, float]:
    """Return what the first epoch of plain Keras measures: ``fit`` on arrays in the order of ours.

    Args:
        trainable: The trainable.
        part: The data; None: that of the trainable.
        weights: The weight of each training example, beside those of the data.
    """
    seed = trial_seed(0, 0)
    forget_names()
    set_seed(seed)
    model = trainable.standalone().build_model({"rate": RATE})
    used = part or data(trainable.data_kind)
    order = np.random.default_rng([seed, 0]).permutation(used.examples["train"])
    x, y, *given = keras.tree.map_structure(lambda array: array[order], used.train)
    if weights is not None:
        ordered = weights[order].astype(np.float32)
        given = [keras.tree.map_structure(lambda array: array * ordered, given[0]) if given else ordered]
    training, validation = _dataset(_tensors((x, y, *given))), _dataset(_tensors(used.validation), _ALL)
    callbacks = KINDS[trainable.model_kind].callbacks()
    fitted = model.fit(training, validation_data=validation, callbacks=callbacks, shuffle=False, verbose=0)
    return _numbers({name: values[0] for name, values in fitted.history.items()})
