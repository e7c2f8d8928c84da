"""A model that a callback compiles again within its trial: noticed, traced anew, and compiled again after a resume."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from trainables.internals.keras_model import compile_marker, end_postponement, postpone_finalization
from trainables.training.state.model_state import layers_that_train, set_layers_that_train


class CompiledModel:
    """A trial's model and the way in which it is compiled now.

    Keras forgets with ``compile`` how many steps run in a call, and the new optimizer has no variables yet. Here both
    are as they were after ``build_model``, so that the trial's inputs still fit and a checkpoint can be taken.

    Args:
        model: The compiled model of a trial, with all of its variables.
        create_variables: Creates the variables of the model after it was compiled again.
        changed: Is called when the model was compiled again: its traces are not for other trials.
    """

    def __init__(self, model: Any, create_variables: Callable[[], object], changed: Callable[[], object]) -> None:
        self._model = model
        self._create_variables = create_variables
        self._changed = changed
        self._steps_per_execution = model.steps_per_execution
        self._trainable = layers_that_train(model)
        self._config: Any = None
        self._marker: Any = None
        self._optimizer: Any = None
        self._times = 0
        self._times_at_begin = 0
        self._has_first_optimizer = True
        self._take_optimizer()

    @property
    def unsaved(self) -> list[str]:
        """Parts of the model's compilation that ``state`` cannot restore, in words."""
        if self._times > self._times_at_begin and self._config is None:
            return ["a callback compiled the model again, with parts that are not Keras's own; it would start again"]
        if layers_that_train(self._model) != self._trainable:
            return ["`trainable` of a layer was changed, and the model was not compiled again"]
        return []

    def notice(self) -> bool:
        """Adopt a new way in which the model is compiled; return whether its steps have to be made again.

        Call it when callbacks have been called.
        """
        if self._model.optimizer is self._optimizer and compile_marker(self._model) is self._marker:
            is_renewed = self._has_fresh_optimizer()
            if is_renewed:
                self._renew_optimizer()
            return is_renewed
        self._adopt()
        return True

    def begin(self) -> None:
        """Take the model as every worker has it that begins this trial: callbacks have heard that it begins."""
        self._times_at_begin = self._times
        self._trainable = layers_that_train(self._model)

    def finalize(self) -> None:
        """Do what ``fit`` would have done at its end: see ``postpone_finalization``."""
        self._finalize(self._model.trainable_weights)

    def release(self) -> None:
        """Give the optimizer back what was taken from it."""
        end_postponement(self._optimizer)

    def state(self) -> dict[str, Any] | None:
        """Return as JSON how the model is compiled now; None if it is still compiled as ``build_model`` did it."""
        if not self._times:
            return None
        return {
            "times": self._times,
            "config": self._config,
            "trainable": self._trainable,
            "optimizer_trainable": self._optimizer_trainable,
            "first_optimizer": self._has_first_optimizer,
        }

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Compile the model as it was when ``state`` was taken.

        Raises:
            ValueError: It cannot be compiled so. The model may have been changed.
        """
        if state is None:
            if self._times:
                raise ValueError("The model had not been compiled again.")
            return
        if state["times"] == self._times:
            return  # by callbacks, when the trial began
        if state["config"] is None or not _is_known(state["config"]):
            raise ValueError("A callback had compiled the model again, with parts that are not Keras's own.")
        parts = keras.saving.deserialize_keras_object(state["config"])
        if state["first_optimizer"]:
            parts["optimizer"] = self._optimizer
        else:  # it was built for the layers that trained then
            set_layers_that_train(self._model, state["optimizer_trainable"])
            parts["optimizer"].build(self._model.trainable_variables)
        set_layers_that_train(self._model, state["trainable"])
        self._model.compile(**parts)
        self._adopt()
        self._times = state["times"]
        self._optimizer_trainable = state["optimizer_trainable"]

    def _adopt(self) -> None:
        self._times += 1
        self._trainable = layers_that_train(self._model)
        self._has_first_optimizer = self._has_first_optimizer and self._model.optimizer is self._optimizer
        self._config = _config_of(self._model, with_optimizer=not self._has_first_optimizer)
        self._model.steps_per_execution = self._steps_per_execution
        self._changed()
        self._create_variables()
        if self._model.optimizer is self._optimizer:
            self._marker = compile_marker(self._model)
        else:
            end_postponement(self._optimizer)
            self._take_optimizer()

    def _has_fresh_optimizer(self) -> bool:
        """Return whether the optimizer has taken no step, and is built for other layers than those that train now.

        Plain Keras builds it in the first step. A callback may let layers train before that, and compile nothing.
        """
        was_trained = bool(np.any(np.array(self._optimizer.iterations)))
        return not was_trained and layers_that_train(self._model) != self._optimizer_trainable

    def _renew_optimizer(self) -> None:
        end_postponement(self._optimizer)
        self._model.optimizer = type(self._optimizer).from_config(self._optimizer.get_config())
        self._model.train_function = self._model.test_function = None  # a kept model's steps have the former optimizer
        self._changed()
        self._create_variables()
        self._trainable = layers_that_train(self._model)
        self._take_optimizer()

    def _take_optimizer(self) -> None:
        self._marker = compile_marker(self._model)
        self._optimizer = self._model.optimizer
        self._optimizer_trainable = self._trainable
        self._finalize = postpone_finalization(self._optimizer)


def _config_of(model: Any, *, with_optimizer: bool) -> Any:
    """Return as JSON how a model was compiled; None where a checkpoint cannot tell it."""
    if type(model).compile is not keras.Model.compile:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a lambda, which is not saved
            config = dict(model.get_compile_config())
            # A callback may assign another optimizer than that of the last `compile`.
            optimizer = keras.saving.serialize_keras_object(model.optimizer) if with_optimizer else None
            config["optimizer"] = optimizer
            config = json.loads(json.dumps(config))
        if _is_known(config):
            keras.saving.deserialize_keras_object(config)  # a function of the user's own has a name only
            return config
    except Exception:  # noqa: BLE001 - parts of a user's own may raise anything
        return None
    return None


def _is_known(config: Any) -> bool:
    """Return whether every object that a configuration names is Keras's or registered: reading it imports nothing."""
    return all(
        keras.saving.get_registered_object(part.get("registered_name"))
        if part.get("registered_name") not in (None, "function")
        else str(part.get("module")).split(".")[0] in ("keras", "builtins")
        for part in _named_objects(config)
    )


def _named_objects(config: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for part in config.values():
            yield from _named_objects(part)
    elif isinstance(config, list):
        for part in config:
            yield from _named_objects(part)
