"""One configuration being trained, epoch by epoch; knows Keras, and no Ray."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from trainables.callbacks import TrialCallbacks
from trainables.checkpoint import CheckpointError, Snapshot, numbered
from trainables.data import Data
from trainables.divergence import diverged_metric
from trainables.epochs import Best, Epoch
from trainables.pipeline import training_input, validation_input
from trainables.settings import InvalidTrainable, TrialSettings

if TYPE_CHECKING:
    from trainables.keras_trainable import KerasTrainable

_MOST_STEPS_PER_EXECUTION = 64
_STREAM = 4  # tells these random numbers from those of searchers and schedulers, which have the same seed and trial


class Training:
    """A compiled model, its data and its callbacks, and how far it has come.

    Attributes:
        model: The compiled Keras model.
        epoch: Epochs trained.
        last: What the last epoch reported.
        best: The best epoch that ``run_epoch`` trained.

    Raises:
        InvalidTrainable: The model is not compiled, or ``build_model`` returned no model.
    """

    def __init__(
        self,
        trainable: KerasTrainable,
        config: Mapping[str, Any],
        data: Data,
        settings: TrialSettings,
        trial: int = 0,
        execution: int = 0,
    ) -> None:
        seed = trial_seed(settings.seed, trial, execution)
        keras.utils.set_random_seed(seed)
        self.settings = settings
        self.model = _compiled(trainable, config)
        self.epoch = 0
        self.last: Epoch | None = None
        self.best = Best()
        options = trainable.fit_options(dict(config))
        batch_size = int(config.get("batch_size", trainable.batch_size))
        self._input = training_input(data.train, batch_size, seed, options)
        self._validation = data.validation and validation_input(data.validation, options.validation_batch_size)
        _set_steps_per_execution(self.model, self._input.steps, options.steps_per_execution)
        self._build(data)
        self._finalize = _postponed_finalization(self.model.optimizer)
        self._finalized = False
        self._callbacks = TrialCallbacks(
            options.callbacks, self.model, epochs=settings.max_epochs, steps=self._input.steps
        )

    @property
    def ended(self) -> bool:
        """Whether nothing is left to train: all epochs done, stopped by a callback, or diverged."""
        return self.epoch >= self.settings.max_epochs or bool(self.model.stop_training) or self.diverged

    @property
    def diverged(self) -> bool:
        """Whether the last epoch's objective or training loss is NaN or infinite: its weights are worth nothing."""
        return self.last is not None and diverged_metric(self.last.metrics, self.settings.metric) is not None

    def run_epoch(self) -> Epoch:
        """Trains one more epoch, validates it, and keeps its weights if it is the best.

        Raises:
            InvalidTrainable: The model does not report the objective.
        """
        last = self.train_epoch()
        self.best = self.best.after(last, self.settings, self.model.get_weights)
        return last

    def train_epoch(self) -> Epoch:
        """Trains one more epoch and validates it; whether it is the best is for the caller to say.

        Raises:
            InvalidTrainable: The model does not report the objective.
        """
        start_s = time.perf_counter()
        self.model.fit(
            self._input.for_epoch(self.epoch),
            validation_data=self._validation,
            initial_epoch=self.epoch,
            epochs=self.epoch + 1,
            callbacks=self._callbacks,
            shuffle=False,
            verbose=0,
        )
        self.epoch += 1
        metrics = dict(self._callbacks.epoch_logs)
        self.last = Epoch(self.epoch, metrics, time.perf_counter() - start_s)
        _check_objective(self.settings.metric, metrics, validated=self._validation is not None)
        return self.last

    def end(self) -> None:
        """Ends the optimizer's and the callbacks' work: an EarlyStopping restores the best weights here."""
        if self.epoch and not self._finalized:
            self._finalized = True
            self._finalize(self.model.trainable_weights)
        self._callbacks.end()

    def snapshot(self) -> Snapshot:
        """A copy of everything that another process needs to go on."""
        callback_states, callback_arrays = self._callbacks.state()
        state = {
            "epoch": self.epoch,
            "last": self.last and self.last.to_json(),
            "best_epoch": self.best.epoch,
            "best_value": self.best.value,
            "stopped": bool(self.model.stop_training),
            "callbacks": callback_states,
        }
        arrays = {
            **numbered("model", [np.array(variable) for variable in self.model.variables]),
            **numbered("optimizer", [np.array(variable) for variable in self.model.optimizer.variables]),
            **numbered("best", list(self.best.weights)),
            **callback_arrays,
        }
        return Snapshot(state, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Continues from a snapshot.

        Raises:
            CheckpointError: It was taken from another model.
        """
        model, optimizer = snapshot.group("model"), snapshot.group("optimizer")
        # Nothing is changed before everything is known to fit: who catches the error can begin anew.
        _check_shapes(self.model.variables, model, "variables of the model")
        _check_shapes(self.model.optimizer.variables, optimizer, "variables of the optimizer")
        try:
            epoch, last, best = position(snapshot)
            stopped = snapshot.state["stopped"]
            self._callbacks.restore(snapshot.state["callbacks"], snapshot.arrays)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"The checkpoint does not fit: {error}") from error
        self.epoch, self.last, self.best, self.model.stop_training = epoch, last, best, stopped
        _assign(self.model.variables, model)
        _assign(self.model.optimizer.variables, optimizer)

    def _build(self, data: Data) -> None:
        # A model without an Input layer has no variables before it has seen data: no checkpoint would fit.
        if not self.model.built:
            self.model(keras.tree.map_structure(lambda array: array[:1], data.train[0]))
        self.model.optimizer.build(self.model.trainable_variables)


def _postponed_finalization(optimizer: Any) -> Callable[[Any], None]:
    """Takes from ``fit`` what it does at its end: an optimizer with use_ema=True averages the weights there.

    That is for the trial's end, not for each of its epochs.
    """
    finalize: Callable[[Any], None] = optimizer.finalize_variable_values
    optimizer.finalize_variable_values = lambda _: None
    return finalize


def trial_seed(seed: int, trial: int, execution: int = 0) -> int:
    """The seed of weights, dropout and order of examples, from the run's seed and the numbers of trial and execution.

    The first execution has the seed of a trial that has no other.
    """
    others = [execution] if execution else []
    return int(np.random.SeedSequence([seed, trial, _STREAM, *others]).generate_state(1)[0])


def position(snapshot: Snapshot) -> tuple[int, Epoch | None, Best]:
    """How far a trial had come: its epochs, what the last one reported, and the best.

    Raises:
        KeyError, TypeError: The snapshot is damaged.
    """
    state = snapshot.state
    best = Best(state["best_epoch"], state["best_value"], snapshot.group("best"))
    return state["epoch"], state["last"] and Epoch.from_json(state["last"]), best


def _compiled(trainable: KerasTrainable, config: Mapping[str, Any]) -> Any:
    name = type(trainable).__name__
    model = trainable.build_model(dict(config))
    if not isinstance(model, keras.Model):
        raise InvalidTrainable(
            f"{name}.build_model returned a {type(model).__name__}, but must return a compiled keras.Model: "
            "is its `return model` missing?"
        )
    if not model.compiled or model.optimizer is None:
        raise InvalidTrainable(
            f"The model that {name}.build_model returned is not compiled, but it must be: "
            "call model.compile(optimizer=…, loss=…, metrics=[…]) before returning it."
        )
    return model


def _set_steps_per_execution(model: Any, steps: int, wished: int | None) -> None:
    """Runs several steps per call into the backend: 1.23 -> 0.84 s an epoch at batch 128 on one core."""
    if wished is not None:
        model.steps_per_execution = wished
    elif model.steps_per_execution == 1 and keras.backend.backend() != "torch":
        model.steps_per_execution = min(steps, _MOST_STEPS_PER_EXECUTION)


def _check_objective(metric: str | None, metrics: Mapping[str, float], *, validated: bool) -> None:
    if metric is None or metric in metrics:
        return
    remedy = "" if validated else " The data has no validation split, so no `val_…` metric exists."
    raise InvalidTrainable(
        f"The objective `{metric}` is not among the metrics that the model reports "
        f"({', '.join(sorted(metrics))}): choose one of them, or add it to model.compile(metrics=[…])."
        f"{remedy}"
    )


def _check_shapes(variables: Any, values: list[np.ndarray], what: str) -> None:
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes != [value.shape for value in values]:
        raise CheckpointError(f"The checkpoint does not fit: the {what} have other shapes.")


def _assign(variables: Any, values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
