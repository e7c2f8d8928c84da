"""The compiler of JAX on a CPU: how hard it works on a program, and that two workers never compile one program at once.

XLA's optimisations took 2.9 CPU s for the three programs of a network with three hidden layers: the whole batches of an
epoch, its last one, and the validation. Without them it takes 0.3 s, and an epoch of 1,078 examples takes 17 ms instead
of 3. So programs are compiled quickly where the trial is too short for the faster program to pay: a matter of the
expected number of epochs, of the examples, and of the model, and never of the clock, as results may differ in the last
bits. The loop over the batches costs 0.01 s more to compile than one batch, so it is always within the program.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import keras
import numpy as np

from trainables.devices.jax_programs import one_at_a_time

_QUICK: dict[str, bool | int] = {
    "xla_backend_optimization_level": 0,  # of LLVM: half of the time
    "xla_cpu_use_fusion_emitters": False,  # XLA's older way to write loops, which needs no MLIR: most of the other half
    "xla_cpu_parallel_codegen_split_count": 1,  # one part, not 32: a trial has one CPU
}
_SAVED_PER_VARIABLE_S = 0.3
_SLOWER_PER_VALUE_S = 20e-9  # an output of a layer, for one example
_SLOWER_PER_WEIGHT_S = 5e-9  # a step of the optimizer

_HOW = {
    True: "JAX compiles its programs in a tenth of the time, without optimisations: a trial has few epochs to train.",
    False: "JAX compiles its programs with all optimisations: a trial has enough to train for them to pay.",
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


def compiles_quickly(model: Any, examples: int, steps: int, epochs: float) -> bool:
    """Return whether a trial ends sooner if its programs are compiled without optimisations.

    Args:
        model: A model with all of its variables. If the outputs of its layers are unknown, it is compiled with all
            optimisations.
        examples: Examples of an epoch.
        steps: Steps of an epoch.
        epochs: The expected number of epochs.
    """
    values = _values_per_example(model)
    if values is None:
        return False
    variables = model.trainable_variables
    weights = sum(math.prod(variable.shape) for variable in variables)
    slower_s = epochs * (examples * values * _SLOWER_PER_VALUE_S + steps * weights * _SLOWER_PER_WEIGHT_S)
    return slower_s < _SAVED_PER_VARIABLE_S * len(variables) and bool(_quick_options())


def how_compiled(is_quick: bool) -> str:
    """Return a sentence that says which way was chosen."""
    return _HOW[is_quick]


def jit(function: Callable[..., Any], *, is_quick: bool = False, **options: Any) -> Callable[..., Any]:
    """Return a function compiled like by ``jax.jit``, each program by one worker at a time.

    Args:
        function: The function.
        is_quick: Whether to leave out optimisations.
        options: Further arguments for ``jax.jit``; ``static_argnums`` is a single number.
    """
    compiled = _jax().jit(function, compiler_options=_quick_options() if is_quick else None, **options)
    static = options.get("static_argnums")
    known: set[Any] = set()

    def call(*args: Any) -> Any:
        shapes = (None if static is None else args[static], *(np.shape(leaf) for leaf in _jax().tree.leaves(args)))
        if shapes not in known:
            known.add(shapes)
            lowered = compiled.lower(*args)
            with one_at_a_time(lowered.as_text):
                lowered.compile()  # the call below finds the program
        return compiled(*args)

    return call


def _values_per_example(model: Any) -> int | None:
    """Return how many numbers the layers of a model make of an example; None where that is unknown."""
    try:
        outputs = [keras.tree.flatten(layer.output) for layer in model.layers]
        return int(sum(math.prod(output.shape[1:]) for layer in outputs for output in layer))
    except (AttributeError, TypeError, ValueError, RuntimeError):  # called never or often, or of unknown size
        return None


@cache
def _quick_options() -> dict[str, bool | int]:
    """Return XLA's options; none where this release has others, or the user has set one of them."""
    if any(name in os.environ.get("XLA_FLAGS", "") for name in _QUICK) or _jax().default_backend() != "cpu":
        return {}  # lanes gather on a GPU, too, whose programs are always compiled with optimisations
    try:
        _jax().jit(lambda number: number + 1, compiler_options=_QUICK)(1)
    except Exception:  # noqa: BLE001 - of the compiler, whatever it is called: things are slower without
        return {}
    return _QUICK


def _jax() -> Any:
    return import_module("jax")
