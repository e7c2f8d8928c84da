"""The rule by which a rate follows the gradient of the validation loss. It knows no Keras."""

from __future__ import annotations

import math

_RETREAT = 4.0
_RISE = 0.5
_FIRST_FALLS = 3


def adjusted(rate: float, cosine: float, step: float, limits: tuple[float, float]) -> float:
    """Return a rate after one adjustment: a step of gradient descent on its logarithm.

    The derivative of the validation loss by the logarithm of a rate is the product of the loss's gradient and the
    derivative of the weights. Here it comes divided by the norms of both (Baydin et al. 2018, the multiplicative rule):
    it does not depend on the scale of the loss or of the rate, and no adjustment changes a rate by more than
    ``exp(step)``.

    Args:
        rate: The rate.
        cosine: The cosine between the gradient of the validation loss and the derivative of the weights by the
            logarithm of the rate. Positive: more of the rate raises the loss.
        step: The largest change of the logarithm.
        limits: The least and the largest rate.

    Returns:
        The new rate. A cosine that is no number changes nothing: nothing had moved, or the loss is flat.
    """
    if not math.isfinite(cosine):
        return rate
    low, high = limits
    return min(max(rate * math.exp(-step * cosine), low), high)


def retreated(rate: float, limits: tuple[float, float]) -> float:
    """Return a learning rate after training steps that were taken back: a quarter of it."""
    low, high = limits
    return min(max(rate / _RETREAT, low), high)


def is_broken(loss: float, before: float, first: float, falls: int) -> bool:
    """Return whether training steps have to be taken back, because they have broken the model.

    The gradient tells nothing of a rate that is far too high: the loss is no number, or the weights have jumped to
    where it is flat. The first windows must therefore lower the loss. Later ones must not raise it by much at once.

    Args:
        loss: The validation loss after the steps.
        before: The validation loss before them, in the beginning on the same examples.
        first: The validation loss of the trial's first weights, which gives the scale.
        falls: The number of windows so far that lowered the loss.
    """
    if not math.isfinite(loss):
        return True
    return loss > before + (0.0 if is_beginning(falls) else _RISE * abs(first))


def is_beginning(falls: int) -> bool:
    """Return whether a trial is in its beginning: fewer than three windows have lowered the loss."""
    return falls < _FIRST_FALLS
