"""Private attributes of Keras's models and optimizers.

Private names:

- ``_compile_metrics`` and ``_compile_loss`` of a compiled model: the parts that make the metrics of ``compile``. They
  buy one trace instead of two (0.2 to 0.4 s a model for a small one). Without them Keras makes the metrics while it
  traces the first step, TensorFlow traces that step again, and the model is not kept for a later trial.
- ``_loss_tracker``: made anew by each ``compile``, so that a model that a callback compiles again with the same
  optimizer is noticed. Without it, only a new optimizer is.
- The attributes of ``_BOOKKEEPING``, on JAX also of ``BOOKKEEPING_OF_JAX``, and those that begin with ``_self_``: they
  differ between models that are traced alike. To pass over them buys all reuse of models (0.13 instead of 0.82 s a
  trial, see docs/performance.md). If Keras renames one, or keeps another kind of value under it, that attribute is
  compared like any other: the models differ, and each is traced.

One public name is used in an unusual way: the method ``finalize_variable_values`` is replaced on one optimizer. Without
that method nothing is postponed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_COMPILED_PARTS = ("_compile_metrics", "_compile_loss")

# The kinds of value that Keras 3.15 keeps under these names.
_BOOKKEEPING: dict[str, frozenset[str]] = {
    "_tracker": frozenset({"Tracker"}),  # lists once more what other attributes hold
    "_nodes": frozenset({"set"}),  # of names that are made of addresses
    "_trainable_variables_indices": frozenset({"dict", "TrackedDict"}),  # by names that are numbered
    "_exclude_from_weight_decay_cache": frozenset({"dict", "TrackedDict"}),  # by names that are numbered
    "_called": frozenset({"bool"}),  # set by the first call
    "_eval_epoch_iterator": frozenset({"NoneType"}),  # of the last fit
}
BOOKKEEPING_OF_JAX: dict[str, frozenset[str]] = {
    "_jax_state": frozenset({"NoneType"}),  # of the last fit
    "_jax_state_synced": frozenset({"bool"}),  # within a fit
}
"""The kinds of value that Keras 3.15 keeps under further names on JAX."""
_TENSORFLOWS_BOOKKEEPING = "_self_"  # checkpoint dependencies: what other attributes hold, once more

_FINALIZATION = "finalize_variable_values"


def unbuilt_parts(model: Any) -> list[Any]:
    """Return the parts of a compiled model that make its metrics at the first step, unless they are built.

    Args:
        model: A compiled ``keras.Model``.

    Returns:
        Objects with a method ``build(labels, outputs)``, in the order in which Keras builds them; none where the
        private names are gone.
    """
    parts = [getattr(model, name, None) for name in _COMPILED_PARTS]
    return [part for part in parts if not getattr(part, "built", True) and hasattr(part, "build")]


def compile_marker(model: Any) -> Any:
    """Return an object that is another one after each ``compile``; None where the private name is gone."""
    return getattr(model, "_loss_tracker", None)


def is_bookkeeping(name: str, value: Any) -> bool:
    """Return whether an attribute of Keras's own objects is of no account for traces.

    Such attributes name objects by their addresses, repeat what other attributes hold, or tell of the last ``fit``.
    """
    kinds = _BOOKKEEPING.get(name) or BOOKKEEPING_OF_JAX.get(name, frozenset())
    return type(value).__name__ in kinds or name.startswith(_TENSORFLOWS_BOOKKEEPING)


def postpone_finalization(optimizer: Any) -> Callable[[Any], object]:
    """Take from ``fit`` what it does at its end, until ``end_postponement``.

    An optimizer with ``use_ema=True`` replaces the weights by their averages there. That is for the end of a trial, and
    not for the end of each ``fit``, of which a trial has one an epoch.

    Returns:
        The function that does it, for a list of trainable weights.
    """
    finalize: Callable[[Any], object] | None = getattr(optimizer, _FINALIZATION, None)
    if finalize is None:
        return lambda _: None
    setattr(optimizer, _FINALIZATION, lambda _: None)
    return finalize


def has_own_finalization(optimizer: Any) -> bool:
    """Return whether the method is one of this optimizer alone, be it postponed or a user's."""
    return _FINALIZATION in vars(optimizer)


def end_postponement(optimizer: Any) -> None:
    """Give the optimizer its method back."""
    vars(optimizer).pop(_FINALIZATION, None)
