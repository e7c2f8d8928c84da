"""One configuration being trained, epoch by epoch. Knows Keras, and no Ray."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from trainables.constraints.measures import measure
from trainables.data import Data
from trainables.data.forks import fork_notes
from trainables.devices.primitive_cache import primitive_cache
from trainables.fit_options import FitOptions
from trainables.hypergradient.adjustable import AdjustableModel, check_declared, check_options
from trainables.hypergradient.held_out import HeldOut, hold_out
from trainables.input.sources.read_checks import mistakes_as_read
from trainables.input.sources.unknown_ends import unknown_ends
from trainables.internals.global_state import remember_names, set_seed
from trainables.internals.graph_optimizer import one_pass
from trainables.internals.jax_variables import shared_programs
from trainables.random_streams import trial_seed
from trainables.report import Best, Epoch, diverged_metric
from trainables.reuse.worker_cache import TrialModel, WorkerCache, existence_probe
from trainables.settings import TrialSettings
from trainables.storage.checkpoint import CheckpointError, Snapshot, numbered
from trainables.training import example
from trainables.training.adapted_state import PREFIX, AdaptedLayers, AdaptedState, finalize
from trainables.training.callbacks import TrialCallbacks
from trainables.training.checks import check_objective, variables_for
from trainables.training.data_checks import check_batches, check_data, declared_inputs
from trainables.training.model import (
    BuildsModels,
    build_compiled_model,
    choose_compilation,
    create_variables,
    prepared,
    set_steps_per_execution,
)
from trainables.training.progress import progress_of
from trainables.training.recompilation import CompiledModel
from trainables.training.state.model_state import further_variables
from trainables.training.state.unrestored import PythonState
from trainables.training.validation_checks import check_sources
from trainables.training.view import TrainingView


class Training:
    """A compiled model, its inputs and its callbacks, and how far it has come.

    Args:
        trainable: Builds the model, and says how it is fitted.
        config: The configuration of the trial.
        data: The data to train and to validate on.
        settings: The settings of the run.
        trial: The number of the trial, which gives it its random numbers together with the run's seed.
        execution: The number of the execution within the trial.
        cache: What the worker kept from earlier trials; None: nothing, and nothing is kept.

    Attributes:
        model: The compiled Keras model.
        epoch: Epochs trained.
        last: The measurements of the last epoch; None before there is one.
        best: The best epoch that ``run_epoch`` trained.
        measured: What was measured of the model before it is trained, by name; each epoch reports it.
        notes: Sentences about how the data is read.

    Raises:
        InvalidTrainable: The model is not compiled, ``build_model`` returned no model, or the weights that
            ``fit_options`` returned do not fit the data.
    """

    def __init__(
        self,
        trainable: BuildsModels,
        config: Mapping[str, Any],
        data: Data,
        settings: TrialSettings,
        trial: int = 0,
        execution: int = 0,
        cache: WorkerCache | None = None,
    ) -> None:
        seed = trial_seed(settings.seed, trial, execution)
        self.settings = settings
        self.epoch = 0
        self.last: Epoch | None = None
        self.best = Best()
        self._cache = cache or WorkerCache(data)
        self._held_out: HeldOut | None = None
        options = self._prepare_model(trainable, dict(config), seed)
        batch = partial(example.one_batch, self._example, self._batch_size)
        self.measured = measure(self.model, settings.measures, batch)
        self._compiled = CompiledModel(
            self.model,
            create_variables=lambda: create_variables(self.model, self._example),
            changed=self._trial_model.forget_fingerprint,
        )
        self._adapted = AdaptedLayers(self.model)
        self._finalized = False
        self._callbacks = TrialCallbacks(
            [*self._adjusting_callbacks(), *options.callbacks],
            self.model,
            epochs=settings.max_epochs,
            steps=self._input.steps,
            seed=seed,
            before_first_step=self._trial_model.retrace_if_changed,
            after_calls=self._compiled.notice,
        )
        self._compiled.begin()
        self._python_state = PythonState(self.model, self._callbacks.callbacks)

    @property
    def example(self) -> Any:
        """An example (x, y, …) of what the model is trained on, with its axis of examples."""
        return self._example

    @property
    def adjusted_variables(self) -> list[Any]:
        """The variables of rates that are adjusted, without the learning rate, which is one of the optimizer's."""
        return [] if self._adjustable is None else self._adjustable.variables

    @property
    def ended(self) -> bool:
        """True if nothing is left to train, because all epochs are done, a callback stopped it, or it diverged."""
        return self.epoch >= self.settings.max_epochs or bool(self.model.stop_training) or self.diverged

    @property
    def diverged(self) -> bool:
        """True if the last epoch diverged (see ``diverged_metric``): its weights are worthless."""
        return self.last is not None and diverged_metric(self.last.metrics, self.settings.metric) is not None

    @property
    def unsaved(self) -> list[str]:
        """Parts of the training that a continued trial would not restore, in words."""
        return self._compiled.unsaved + self._adapted.unsaved + self._python_state.unsaved

    def run_epoch(self) -> Epoch:
        """Train one more epoch, validate it, and keep its weights if it is the best.

        Raises:
            InvalidTrainable: The model does not report the objective.
        """
        last = self.train_epoch()
        self.best = self.best.after(last, self.settings, self.model.get_weights)
        return last

    def train_epoch(self) -> Epoch:
        """Train one more epoch and validate it, but leave it to the caller to say whether it is the best.

        Raises:
            InvalidTrainable: The model does not report the objective.
        """
        start_s = time.perf_counter()
        self._python_state.epoch_begins()
        with one_pass(), unknown_ends(self._input, self._validation), mistakes_as_read():
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
        self._python_state.epoch_ended()
        metrics = self.measured | self._callbacks.epoch_logs
        self.last = Epoch(self.epoch, metrics, time.perf_counter() - start_s, self._input.counted)
        if self.last.batches == 0:
            raise ValueError(f"Epoch {self.epoch} had no batch: what Data.train yields must not be empty.")
        others = self._callbacks.other_logs
        check_objective(self.settings, metrics, others, validated=self._validation is not None)
        return self.last

    def end(self) -> None:
        """End the optimizer's and the callbacks' work: an EarlyStopping restores the best weights here."""
        if self.epoch and not self._finalized:
            self._finalized = True
            self._compiled.finalize()
        self._callbacks.end()

    def snapshot(self) -> Snapshot:
        """Return a copy of everything that another process needs to go on."""
        callback_states, callback_arrays = self._callbacks.state()
        further = further_variables(self.model, self._callbacks.callbacks)
        adapted = self._adapted.state()
        state = {
            "epoch": self.epoch,
            "last": self.last and self.last.to_json(),
            **self.best.to_json(),
            "stopped": bool(self.model.stop_training),
            "callbacks": callback_states,
            "compiled": self._compiled.state(),
            "further": list(further),
            PREFIX: list(adapted.layers),
            example.STATE_KEY: example.describe(self.example),
            **self._python_state.state(),
        }
        arrays = {
            **numbered("model", [np.array(variable) for variable in self.model.variables]),
            **numbered("optimizer", [np.array(variable) for variable in self.model.optimizer.variables]),
            **numbered("further", [np.array(variable) for variable in further.values()]),
            **numbered("best", list(self.best.weights)),
            **numbered("adjusted", [np.array(variable) for variable in self.adjusted_variables]),
            **adapted.arrays,
            **callback_arrays,
        }
        return Snapshot(state, arrays)

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot.

        Raises:
            CheckpointError: It does not fit the model, which may be changed: build the training again to begin anew.
        """
        try:
            epoch, last, best = progress_of(snapshot)
            stopped = bool(snapshot.state["stopped"])
            AdaptedState.of_snapshot(snapshot).load_into(self.model)
            self._compiled.restore(snapshot.state.get("compiled"))
            callbacks = self._callbacks.callbacks
            variables = variables_for(self.model, self.example, snapshot, self.adjusted_variables, callbacks)
            self._python_state.restore(snapshot.state)
            self._callbacks.restore(snapshot.state["callbacks"], snapshot.arrays)
        except CheckpointError:
            raise
        except Exception as error:  # of parts of Keras, or of a user's own, that a checkpoint names
            raise CheckpointError(f"The checkpoint does not fit: {error}") from error
        self.epoch, self.last, self.best, self.model.stop_training = epoch, last, best, stopped
        if last is not None:  # a time that is measured again would be another one
            self.measured |= {name: last.metrics[name] for name in self.measured if name in last.metrics}
        for variable, value in variables:
            variable.assign(value)
        finalize(self.model)

    def retire(self) -> None:
        """Leave the model to the worker's next trial; this training must not be used any more."""
        self._compiled.release()
        self._cache.models.give_back(self._trial_model)

    def _prepare_model(self, trainable: BuildsModels, config: dict[str, Any], seed: int) -> FitOptions:
        """Build the model and its inputs, and exchange it for a model that the worker kept and that is traced alike."""
        restore_names = remember_names()
        options, trial_model = self._build(trainable, config, seed)
        reused = self._cache.models.take(trial_model)
        if reused is not None:
            fresh_exists = existence_probe(trial_model)
            del trial_model  # this was the last reference, unless the user's code keeps one
            if fresh_exists():
                self._cache.models.disable()
                restore_names()
                options, trial_model = self._build(trainable, config, seed)
            else:
                trial_model = reused
        if trial_model is not reused:
            primitive_cache.count_new_model()
        self._trial_model, self.model, self._adjustable = trial_model, trial_model.model, trial_model.adjustable
        if trial_model.steps is not None:
            trial_model.steps.feed(self._input, self._validation)
        return options

    @shared_programs()
    def _build(self, trainable: BuildsModels, config: dict[str, Any], seed: int) -> tuple[FitOptions, TrialModel]:
        set_seed(seed)
        inputs = self._cache.inputs.of(prepared(trainable, self._cache.inputs.data, config))
        declared = getattr(trainable, "hypergradient", None)
        if declared is not None:
            check_declared(trainable, declared)
            inputs, self._held_out = hold_out(declared, inputs, self._cache.made, seed)
        model = build_compiled_model(trainable, config, TrainingView(inputs.data, self._cache.made))
        options = trainable.fit_options(dict(config))
        if declared is not None:
            check_options(declared, options)
        set_steps_per_execution(model, options.steps_per_execution, declared and declared.every)
        batch_size = self._batch_size = int(config.get("batch_size", trainable.batch_size))
        if "batch_size" in config:
            inputs.check_batch_size(model)
        self._example = inputs.example(model, batch_size)
        check_batches(model, batch_size, inputs.data, options)
        rules = check_data(model, self._example, inputs.data, options, self._cache.made)
        if declared_inputs(model):  # before the inputs: JAX gathers for models that have all variables
            create_variables(model, self._example)
        self._input = inputs.training(model, batch_size, seed, options, rules)
        self._validation = inputs.validation(model, options, rules)
        check_sources(model, self._example, inputs, self._validation, options, rules, self._cache.made)
        create_variables(model, self._example)
        spec = f"{self._input.spec} {self._validation and self._validation.spec} {declared and declared.rates}"
        compilation, how = choose_compilation(model, self._input, self.settings)
        self.notes = [*fork_notes(inputs.data.train, inputs.data.validation), *how]
        adjustable = None if declared is None else AdjustableModel(model, declared)
        has_unknown_end = self._input.steps is None
        kind: dict[str, Any] = {"has_unknown_end": has_unknown_end, "compilation": compilation}
        return options, TrialModel(model, spec, options.callbacks, adjustable=adjustable, **kind)

    def _adjusting_callbacks(self) -> list[Any]:
        if self._adjustable is None or self._held_out is None:
            return []
        return [self._adjustable.callback(self._held_out)]  # first: others see the rates among an epoch's metrics
