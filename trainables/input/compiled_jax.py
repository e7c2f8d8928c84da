"""The compiler of JAX on a CPU: how hard it works on a program, and that two workers never compile one program at once.

XLA's optimisations took 2.9 CPU s for the three programs of a network with three hidden layers: the whole batches of an
epoch, its last one, and the validation. Without them it takes 0.3 s, and an epoch of 1,078 examples takes 17 ms instead
of 3; with some of them, half of the time, and 1.5 times 3 ms. So a program is compiled with more effort only where the
trial is long enough for the faster program to pay: a matter of the expected number of epochs, of the examples, and of
the model, and never of the clock, as results may differ in the last bits. The last batch, once an epoch, is a matter of
its own. The loop over the batches costs 0.01 s more to compile than one batch, so it is within the program wherever XLA
computes within a loop as fast as outside of one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import keras
import numpy as np

from trainables.devices.jax_programs import one_at_a_time


class Effort(StrEnum):
    """The optimisations with which JAX compiles a program."""

    ALL = "all"
    SOME = "some"
    NONE = "no"


class Compilation(NamedTuple):
    """The efforts of JAX's compiler for the programs of a model.

    Attributes:
        whole: The effort for the programs of whole batches.
        last: The effort for those of the last batch, which are run once an epoch.
    """

    whole: Effort = Effort.ALL
    last: Effort = Effort.ALL


OPTIMISED = Compilation()
"""All optimisations everywhere, as Keras has it."""


class _Cost(NamedTuple):
    """CPU seconds: of the compiler for a trainable variable, and of training beyond the fastest program's."""

    variable_s: float
    value_s: float  # an output of a layer, for one example
    weight_s: float  # a step of the optimizer


_COSTS = {
    Effort.ALL: _Cost(0.3, 0.0, 0.0),
    Effort.SOME: _Cost(0.15, 2e-9, 0.5e-9),
    Effort.NONE: _Cost(0.0, 20e-9, 5e-9),
}
_LASTS_PART = 1 / 3  # of the compiler's work
_OLDER: dict[str, bool | int] = {
    "xla_cpu_use_fusion_emitters": False,  # XLA's older way to write loops, which needs no MLIR: half of the time
    "xla_cpu_parallel_codegen_split_count": 1,  # one part, not 32: a trial has one CPU
}
_LLVM = "xla_backend_optimization_level"  # most of the other half
_OPTIONS = {Effort.ALL: None, Effort.SOME: {**_OLDER, _LLVM: 1}, Effort.NONE: {**_OLDER, _LLVM: 0}}

_HOW = {
    Effort.ALL: "JAX compiles its programs with all optimisations: a trial has enough to train for them to pay.",
    Effort.SOME: "JAX compiles its programs in half of the time, with some optimisations: a trial has some epochs to "
    "train.",
    Effort.NONE: "JAX compiles its programs in a tenth of the time, without optimisations: a trial has few epochs to "
    "train.",
}


def expected_epochs(max_epochs: int, milestones: Sequence[int]) -> float:
    """Return the number of epochs that a trial is expected to train.

    A scheduler that stops trials at milestones lets as many go on as make each part of the way cost the same: a third
    of them where the next milestone is three times as far.

    Args:
        max_epochs: The number of epochs of a trial that nothing stops.
        milestones: Epochs after which the scheduler may stop a trial.

    Example:
        >>> from trainables.input.compiled_jax import expected_epochs
        >>> expected_epochs(27, (1, 3, 9))
        3.0
    """
    ends = [*sorted({epoch for epoch in milestones if epoch < max_epochs}), max_epochs]
    expected, part, begun = 0.0, 1.0, 0
    for end in ends:
        part *= begun / end if begun else 1
        expected += part * (end - begun)
        begun = end
    return round(expected, 6)


def choose_efforts(model: Any, examples: int, steps: int, epochs: float) -> Compilation:
    """Return the efforts with which a trial ends soonest.

    Args:
        model: A model with all of its variables. If the outputs of its layers are unknown, it is compiled with all
            optimisations.
        examples: Examples of an epoch.
        steps: Steps of an epoch.
        epochs: The expected number of epochs.
    """
    values = _values_per_example(model)
    if values is None or not _can_choose():
        return OPTIMISED
    variables = model.trainable_variables
    weights = sum(math.prod(variable.shape) for variable in variables)

    def seconds(effort: Effort, steps_of_epoch: int, part: float) -> float:
        cost = _COSTS[effort]
        compiler_s: float = part * len(variables) * cost.variable_s
        step_s: float = examples / steps * values * cost.value_s + weights * cost.weight_s
        return compiler_s + epochs * steps_of_epoch * step_s

    whole = min(Effort, key=lambda effort: seconds(effort, steps, 1))
    return Compilation(whole, min(Effort, key=lambda effort: seconds(effort, 1, _LASTS_PART)))


def how_compiled(effort: Effort) -> str:
    """Return a sentence that says with which effort the whole batches of a trial are compiled."""
    return _HOW[effort]


class Program:
    """A function compiled like by ``jax.jit``, once for all sizes of its arguments, each by one worker at a time.

    Args:
        function: The function; it may use the memory of its first argument for what it returns.
        effort: How hard JAX compiles it.
        static: The position of an argument that is a constant of the program; None: there is none.
    """

    def __init__(self, function: Callable[..., Any], effort: Effort = Effort.ALL, static: int | None = None) -> None:
        options = {} if static is None else {"static_argnums": static}
        self._function = _jax().jit(function, compiler_options=_options(effort), donate_argnums=0, **options)
        self._static = static
        self._compiled: set[Any] = set()
        self._slow: dict[Any, bool] = {}

    def __call__(self, *args: Any) -> Any:
        """Call the function, and compile it before if need be."""
        sizes = self._sizes(args)
        if sizes not in self._compiled:
            self._compiled.add(sizes)
            lowered = self._function.lower(*args)
            with one_at_a_time(lowered.as_text):
                lowered.compile()  # the call below finds the program
        return self._function(*args)

    def is_slow_in_loops(self, *args: Any) -> bool:
        """Return whether the function has a convolution that takes much longer within a loop: see ``has_slow_loop``."""
        sizes = self._sizes(args)
        if sizes not in self._slow:
            self._slow[sizes] = has_slow_loop(self._function.trace(*args).jaxpr.jaxpr)
        return self._slow[sizes]

    def _sizes(self, args: Sequence[Any]) -> tuple[Any, ...]:
        constant = None if self._static is None else args[self._static]
        return (constant, *(np.shape(leaf) for leaf in _jax().tree.leaves(args)))


def has_slow_loop(jaxpr: Any) -> bool:
    """Return whether a program of JAX has a convolution that XLA computes fast outside of loops only.

    XLA on a CPU hands convolutions to a library, if examples come first, then the axes of the image, then the channels.
    Others get this order by transpositions, yet XLA adds them outside of loops only. Within a loop, it computes such a
    convolution number by number, which took 100 ms in place of 2. The gradients of all convolutions are such ones.
    See https://github.com/jax-ml/jax/issues/12868.
    """
    return any(_is_slow(equation) or any(map(has_slow_loop, _inner(equation))) for equation in jaxpr.eqns)


def _is_slow(equation: Any) -> bool:
    if equation.primitive.name != "conv_general_dilated":
        return False
    numbers = equation.params["dimension_numbers"]
    axes = len(numbers.lhs_spec)
    images, kernel = (0, axes - 1, *range(1, axes - 1)), (axes - 1, axes - 2, *range(axes - 2))
    return (tuple(numbers.lhs_spec), tuple(numbers.rhs_spec), tuple(numbers.out_spec)) != (images, kernel, images)


def _inner(equation: Any) -> Iterator[Any]:
    """Yield the programs within an operation: of a loop, or of a function that is called."""
    for value in _jax().tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "eqns")):
        inner = getattr(value, "jaxpr", value)
        if hasattr(inner, "eqns"):
            yield inner


def _values_per_example(model: Any) -> int | None:
    """Return how many numbers the layers of a model make of an example; None where that is unknown."""
    try:
        outputs = [keras.tree.flatten(layer.output) for layer in model.layers]
        return int(sum(math.prod(output.shape[1:]) for layer in outputs for output in layer))
    except (AttributeError, TypeError, ValueError, RuntimeError):  # called never or often, or of unknown size
        return None


def _options(effort: Effort) -> dict[str, bool | int] | None:
    return _OPTIONS[effort] if _can_choose() else None


@cache
def _can_choose() -> bool:
    """Return whether XLA has the options; never where the user has set one of them."""
    names = _OPTIONS[Effort.NONE] or {}
    if any(name in os.environ.get("XLA_FLAGS", "") for name in names) or _jax().default_backend() != "cpu":
        return False  # lanes gather on a GPU, too, whose programs are always compiled with optimisations
    try:
        _jax().jit(lambda number: number + 1, compiler_options=names)(1)
    except Exception:  # noqa: BLE001 - of the compiler, whatever it is called: things are slower without
        return False
    return True


def _jax() -> Any:
    return import_module("jax")
