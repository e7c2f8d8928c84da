"""The loop of JAX over the batches of a span: one compiled program gathers each batch and trains on it.

Keras's own loop on JAX calls a compiled step for each batch. The call, and what NumPy does to make the batch, took more
than the step of a small network.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import keras
import numpy as np

from trainables.data.nested import Split, leaves
from trainables.input.compiled_jax import OPTIMISED, Compilation, Effort, Program
from trainables.input.gathered_rows import BatchSpan, EpochRows, Step
from trainables.input.vmapped_jax import LaneContent, identity, meet
from trainables.internals.keras_model import unbuilt_parts
from trainables.lanes.lane import current_lane

_NUMBERS = "biuf"


def can_loop(model: Any) -> bool:
    """Return whether the loop is of use, for a model that Keras compiles whole: on a CPU, and for lanes everywhere.

    Keras would read a batch to find the metrics' variables, if they did not exist yet, and there are spans to read.
    """
    is_of_use = _jax().default_backend() == "cpu" or current_lane() is not None
    return model.jit_compile and is_of_use and not unbuilt_parts(model)


def can_hold(split: Split) -> bool:
    """Return whether the arrays of a split hold numbers: JAX knows nothing else."""
    return all(np.asarray(array).dtype.kind in _NUMBERS for array in leaves(split))


def as_array(array: np.ndarray) -> Any:
    """Return an array as JAX has it, over the same memory where that is possible."""
    return _jax().numpy.asarray(array)


def scalar(number: int) -> int:
    """Return a number that steps read: a program of JAX is compiled for a size of its batches."""
    return number


def indices(order: np.ndarray) -> Any:
    """Return an order of examples as an array of JAX."""
    return _jax().numpy.asarray(order, np.int32)


def spans(batch_spans: BatchSpan, steps: int) -> keras.utils.PyDataset:
    """Return the data set that ``fit`` reads.

    Args:
        batch_spans: First batches, and the batches after the last ones, each an array of shape (spans,).
        steps: The number of batches of an epoch. Keras counts batches by the data set's length.
    """
    return _Spans(batch_spans, steps)


class _Spans(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    def __init__(self, batch_spans: BatchSpan, steps: int) -> None:
        super().__init__()
        self._spans, self._steps = batch_spans, steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> BatchSpan:
        # Keras may ask for as many as there are batches, and uses as many as there are spans.
        return BatchSpan(*(bounds[min(index, len(bounds) - 1)] for bounds in self._spans))


def make_function(
    model: Any,
    step: Step,
    rows: Callable[[], EpochRows],
    keras_function: Step,
    traces: Callable[[], Hashable | None] = lambda: None,
    *,
    compilation: Compilation = OPTIMISED,
) -> Step:
    """Return what Keras calls for the next steps of an epoch: it takes a state and an iterator, and returns both anew.

    Args:
        model: The model.
        step: Its ``train_step`` or ``test_step``.
        rows: A function that returns the rows of the epoch.
        keras_function: What Keras itself would call, for an iterator of batches.
        traces: Returns what the traces of the step depend on; None where nobody knows.
        compilation: How hard JAX compiles.
    """
    run_batch: Callable[..., Any] = partial(_run_batch, step)
    is_compiled = model.jit_compile and not model.run_eagerly  # a callback may compile the model again, to run eagerly
    if is_compiled:
        run_span_alone = _span_runner(model, step, compilation.whole)
        run_batch = Program(run_batch, compilation.last)

    def run_batch_alone(state: Any, start: int, stop: int, epoch: EpochRows) -> Any:
        size, order = epoch.batch_size, np.asarray(epoch.order)  # JAX would compile a program that takes a part of it
        return run_batch(state, order[start * size : stop * size], epoch.arrays)

    def run_last_batch_of_lane(state: Any, epoch: EpochRows, *_: Any) -> Any:
        return _run_batch(step, state, epoch.order[_whole_batches(epoch) * epoch.batch_size :], epoch.arrays)

    def run_span_of_lane(state: Any, epoch: EpochRows, start: Any, stop: Any) -> Any:
        return _run_span(model, step, state, start, stop, epoch, epoch.batch_size)

    def function(state: Any, iterator: Iterator[Any]) -> tuple[Any, Any]:
        first = next(iterator)
        if not isinstance(first, BatchSpan):
            return keras_function(state, itertools.chain([first], iterator))  # type: ignore[no-any-return]
        epoch, start, stop, lane = rows(), int(first.start), int(first.stop), current_lane()
        whole, logs = _whole_batches(epoch), {}
        while start < stop:
            # One batch: the last may be smaller, and the first may make variables, which no loop can.
            is_span = is_compiled and start < whole and not _lacks_variables(model)
            end = min(stop, whole) if is_span else start + 1
            alone = partial(run_span_alone if is_span else run_batch_alone, state, start, end, epoch)
            if lane is None:
                logs, state = alone()
            else:
                of_lane = run_span_of_lane if is_span else run_last_batch_of_lane
                known = traces() if is_compiled and (is_span or start == whole) else None
                work = None if known is None else (known, step.__name__, is_span, *identity(epoch))
                logs, state = meet(lane, work, (start, end), LaneContent(_lists(state), epoch), alone, of_lane)
            start = end
        return logs, state

    return function


def _span_runner(model: Any, step: Step, effort: Effort) -> Callable[[Any, int, int, EpochRows], Any]:
    """Return a function that runs whole batches: by one program, or by one for each where that is faster."""
    run_span = Program(partial(_run_span, model, step), effort, static=4)
    run_batch = Program(partial(_run_whole_batch, step), effort, static=3)
    is_on_cpu = _jax().default_backend() == "cpu"

    def run(state: Any, start: int, stop: int, epoch: EpochRows) -> Any:
        if not is_on_cpu or not run_span.is_slow_in_loops(state, start, stop, epoch, epoch.batch_size):
            return run_span(state, start, stop, epoch, epoch.batch_size)
        logs = {}
        for batch in range(start, stop):
            logs, state = run_batch(state, batch, epoch, epoch.batch_size)
        return logs, state

    return run


def _whole_batches(epoch: EpochRows) -> int:
    return len(epoch.order) // int(epoch.batch_size)


def _lacks_variables(model: Any) -> bool:
    """Return whether metrics make variables in the next step: F1Score when it is first updated, all after a compile."""
    if unbuilt_parts(model):
        return True
    metrics = (part for metric in model.metrics for part in getattr(metric, "metrics", [metric]))
    return any(not metric.variables for metric in metrics)


def _run_span(model: Any, step: Step, state: Any, start: Any, stop: Any, rows: EpochRows, batch_size: int) -> Any:
    lax = _jax().lax

    def run(carried: tuple[Any, Any]) -> tuple[Any, Any]:
        batch, before = carried
        _, after = _run_whole_batch(step, before, batch, rows, batch_size)
        return batch + 1, after

    _, state = lax.while_loop(lambda carried: carried[0] < stop, run, (start, _lists(state)))
    with keras.StatelessScope(state_mapping=list(zip(model.metrics_variables, state[-1], strict=True))):
        return model.get_metrics_result(), state  # what the last step would return; read once


def _run_whole_batch(step: Step, state: Any, batch: Any, rows: EpochRows, batch_size: int) -> tuple[Any, Any]:
    chosen = _jax().lax.dynamic_slice_in_dim(rows.order, batch * batch_size, batch_size)
    return _run_batch(step, state, chosen, rows.arrays)


def _run_batch(step: Step, state: Any, rows: Any, arrays: Any) -> tuple[Any, Any]:
    logs, state = step(state, keras.tree.map_structure(lambda array: array[rows], arrays))
    return logs, _lists(state)


def _lists(state: Any) -> tuple[list[Any], ...]:
    """Return a state whose parts are lists, as a loop's state must not change its structure."""
    return tuple(list(part) for part in state)


def _jax() -> Any:
    return import_module("jax")
