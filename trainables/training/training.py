"""One configuration being trained, epoch by epoch; knows Keras, and no Ray."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from trainables.data import Data
from trainables.fit_options import FitOptions
from trainables.internals.global_state import remember_names, set_seed
from trainables.internals.graph_optimizer import one_pass
from trainables.internals.keras_model import end_postponement, postpone_finalization
from trainables.random_streams import RandomStream
from trainables.report import Best, Epoch, diverged_metric
from trainables.reuse.kept_models import Traceable, WorkerCache, held, traceable
from trainables.settings import InvalidTrainable, TrialSettings
from trainables.storage.checkpoint import CheckpointError, Snapshot, numbered
from trainables.training.callbacks import TrialCallbacks
from trainables.training.model import BuildsModels, build, compiled, set_steps_per_execution


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
        trainable: BuildsModels,
        config: Mapping[str, Any],
        data: Data,
        settings: TrialSettings,
        trial: int = 0,
        execution: int = 0,
        worker: WorkerCache | None = None,
    ) -> None:
        seed = trial_seed(settings.seed, trial, execution)
        self.settings = settings
        self.epoch = 0
        self.last: Epoch | None = None
        self.best = Best()
        self._worker = worker or WorkerCache(data)
        options = self._make(trainable, dict(config), seed)
        self._optimizer = self.model.optimizer
        self._finalize = postpone_finalization(self._optimizer)
        self._finalized = False
        self._callbacks = TrialCallbacks(
            options.callbacks,
            self.model,
            epochs=settings.max_epochs,
            steps=self._input.steps,
            before_tracing=self._trace_as_it_is,
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
        with one_pass():
            self.model.fit(
                self._input.for_epoch(self.epoch),
                validation_data=self._validation and self._validation.for_epoch(self.epoch),
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

    def retire(self) -> None:
        """Leaves the model to the worker's next trial; nothing may go on with this one."""
        end_postponement(self._optimizer)
        self._worker.models.give_back(self._traceable)

    def _make(self, trainable: BuildsModels, config: dict[str, Any], seed: int) -> FitOptions:
        """Builds the model and its input; where the worker has kept a model that traces alike, trains that one."""
        names_again = remember_names()
        options, fresh = self._fresh(trainable, config, seed)
        kept = self._worker.models.take(fresh)
        if kept is not None:
            is_held = held(fresh)
            del fresh
            if is_held():
                self._worker.models.turn_off()
                names_again()
                options, kept = self._fresh(trainable, config, seed)
            fresh = kept
        self._traceable, self.model = fresh, fresh.model
        if fresh.steps is not None:
            fresh.steps.feed(self._input, self._validation)
        return options

    def _fresh(self, trainable: BuildsModels, config: dict[str, Any], seed: int) -> tuple[FitOptions, Traceable]:
        set_seed(seed)
        model = compiled(trainable, config)
        options = trainable.fit_options(dict(config))
        set_steps_per_execution(model, options.steps_per_execution)
        inputs = self._worker.inputs
        self._input = inputs.training(model, int(config.get("batch_size", trainable.batch_size)), seed, options)
        self._validation = inputs.validation(model, options.validation_batch_size)
        build(model, inputs.data.train)
        form = f"{self._input.form} {self._validation and self._validation.form}"
        return options, traceable(model, form, options.callbacks)

    def _trace_as_it_is(self) -> None:
        """Before the first step: what callbacks changed about the model must be in its traces, now and only now."""
        if self._traceable.fingerprint is not None and not self._traceable.is_unchanged():
            self._traceable = replace(self._traceable, fingerprint=None)
            self.model.make_train_function(force=True)
            self.model.make_test_function(force=True)


def trial_seed(seed: int, trial: int, execution: int = 0) -> int:
    """The seed of weights, dropout and order of examples, from the run's seed and the numbers of trial and execution.

    The first execution has the seed of a trial that has no other.
    """
    others = [execution] if execution else []
    return int(np.random.SeedSequence([seed, trial, RandomStream.TRAINING, *others]).generate_state(1)[0])


def position(snapshot: Snapshot) -> tuple[int, Epoch | None, Best]:
    """How far a trial had come: its epochs, what the last one reported, and the best.

    Raises:
        KeyError, TypeError: The snapshot is damaged.
    """
    state = snapshot.state
    best = Best(state["best_epoch"], state["best_value"], snapshot.group("best"))
    return state["epoch"], state["last"] and Epoch.from_json(state["last"]), best


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
