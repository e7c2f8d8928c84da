"""The callback that adjusts the rates of a trial while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from trainables.hypergradient.declaration import Hypergradient
from trainables.hypergradient.held_out import HeldOut
from trainables.hypergradient.measure import Measure
from trainables.hypergradient.rates import Rate
from trainables.hypergradient.update_rule import adjusted, is_beginning, is_broken, retreated
from trainables.settings import InvalidTrainable


class AdjustRates(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Adjusts the rates every few steps, and adds them to the metrics of each epoch.

    The steps between two adjustments are a window. A window ends with its epoch at the latest, so checkpoints need not
    know of any. The plain attributes are part of every checkpoint, and the rates are as variables.

    Args:
        declared: How the rates are adjusted.
        rates: The rates, the learning rate first.
        measure: Measures on some of the held-out examples.
        held_out: The held-out examples.
        optimizer: The optimizer that has the rates.

    Attributes:
        measured: The number of the measurement's examples.
        falls: The number of windows that lowered the loss.
        first_loss: The loss of the trial's first weights; None before there is one.
        loss: The loss after the last window that was not taken back.
    """

    def __init__(
        self, declared: Hypergradient, rates: Sequence[Rate], measure: Measure, held_out: HeldOut, optimizer: Any
    ) -> None:
        super().__init__()
        self.measured = 0
        self.falls = 0
        self.first_loss: float | None = None
        self.loss = 0.0
        self._declared = declared
        self._rates = rates
        self._measure = measure
        self._held_out = held_out
        self._optimizer = optimizer
        self._has_progress = False
        self._window: _Window | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras's signature
        """Begin a window; in the first epoch, measure the loss that gives the scale."""
        self._check()
        self._has_progress = False
        self._window = _Window(self.model, self._rates)
        if self.first_loss is None:
            self.first_loss = self.loss = self._measure_since(self._window)[0]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """End the window if it has all of its steps."""
        if self._window is not None:
            self._window.last_batch = batch
            is_last = batch + 1 == self.params.get("steps")  # Keras reads the metrics of the epoch next
            if is_last or self._window.steps >= self._declared.every:
                self._end_window(self._window)

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """End the last window of the epoch before the epoch is validated."""
        self._end_epoch()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Report the rates; without a validation, the last window ends here."""
        self._end_epoch()
        if logs is None:
            return
        if not self._has_progress:  # steps were taken back, and what the logs say of the training is not true
            for name in [each for each in logs if not each.startswith("val_")]:
                logs[name] = logs.get(f"val_{name}", self.loss if name == "loss" else logs[name])
        logs.update({rate.name: rate.value for rate in self._rates})

    def _end_epoch(self) -> None:
        if self._window is not None and self._window.steps and not self._end_window(self._window):
            self._has_progress = False
        self._window = None

    def _end_window(self, window: _Window) -> bool:
        """Adjust the rates, or take the steps back; return whether the steps stand."""
        self._check()
        loss, *cosines = self._measure_since(window)
        limits = self._declared.limits
        stands = not (self._declared.learning_rate and is_broken(loss, self.loss, self.first_loss or 0.0, self.falls))
        if not stands:
            window.take_back()
            self._rates[0].set(retreated(self._rates[0].value, limits))
        else:
            self._has_progress = True
            self.falls += loss < self.loss
            self.loss = loss
            step = self._declared.step * min(1.0, window.steps / self._declared.every)
            for rate, cosine in zip(self._rates, cosines, strict=True):
                rate.set(adjusted(rate.value, cosine, step, limits))
        if not is_beginning(self.falls):  # until then, losses are compared on the same examples
            self.measured += 1
        self._window = window.next()
        return stands

    def _check(self) -> None:
        """Check that the model is still the one whose rates are adjusted.

        Raises:
            InvalidTrainable: A callback compiled it again, or let other layers train.
        """
        is_compiled_again = self.model.optimizer is not self._optimizer
        if is_compiled_again or (self._window and len(self._window.weights) != len(self.model.trainable_variables)):
            raise InvalidTrainable(
                "Hypergradient: A callback compiled the model again, or let other layers train, and the rates of the "
                "new model are not adjusted: leave the callback out, or set hypergradient = None."
            )

    def _measure_since(self, window: _Window) -> list[float]:
        """Return the loss on the next examples, and the cosine of each rate for the steps of a window."""
        result = self._measure(self._held_out.tensors, self._held_out.rows(self.measured), window.weights)
        return [float(value) for value in np.array(result)]


class _Window:
    """The steps between two adjustments, which can be taken back: what was before them is kept.

    Args:
        model: The model.
        rates: The rates, which are not taken back.
        first_batch: The number of the first step in the epoch.
    """

    def __init__(self, model: Any, rates: Sequence[Rate], first_batch: int = 0) -> None:
        self.last_batch = first_batch - 1
        self._model = model
        self._rates = rates
        self._first_batch = first_batch
        adjusted_ones = {id(variable) for rate in rates for variable in rate.variables}
        variables = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
        # TensorFlow copies a value only when the variable is next assigned to.
        self._before = [(each, keras.ops.copy(each.value)) for each in variables if id(each) not in adjusted_ones]
        values = {id(variable): value for variable, value in self._before}
        self.weights = [values[id(weight)] for weight in model.trainable_variables]

    @property
    def steps(self) -> int:
        """The number of steps so far."""
        return self.last_batch + 1 - self._first_batch

    def take_back(self) -> None:
        """Let the model be as it was before the steps, in its metrics too, which may be no numbers."""
        for variable, value in self._before:
            variable.assign(value)

    def next(self) -> _Window:
        """Return the window that begins now."""
        return _Window(self._model, self._rates, self.last_batch + 1)
