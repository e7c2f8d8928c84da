"""The declaration of what is adjusted while a trial runs: ``Hypergradient``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from trainables.data import Data
from trainables.data.kinds import Kind, kind_of
from trainables.settings import InvalidTrainable

RATES = ("learning_rate", "weight_decay", "l2")


@dataclass(frozen=True)
class Hypergradient:
    """Rates of a running trial that follow the gradient of the validation loss.

    It is an attribute of a trainable's class. The model is compiled with the rates that a trial starts with. While it
    trains, a batch of held-out examples tells every few steps whether more or less of each rate lowers the validation
    loss, and the rate is multiplied accordingly. Every epoch reports the rates among its metrics.

    Attributes:
        learning_rate: Whether the learning rate is adjusted (Baydin et al. 2018).
        weight_decay: Whether the optimizer's ``weight_decay`` is adjusted (Luketina et al. 2016).
        l2: Whether the strength of the layers' L2 regularizers is adjusted (Luketina et al. 2016). Different strengths
            are multiplied alike.
        on: The examples that the gradient is measured on: "validation", or the share of the training examples that is
            set aside for it.
        every: Training steps between two adjustments.
        examples: Held-out examples for an adjustment.
        step: The largest change of a rate's logarithm in an adjustment.
        limits: The least and the largest learning rate. The other rates are held to these values too.

    Raises:
        InvalidTrainable: A value is wrong; all mistakes are listed.

    Example:
        >>> from trainables import Hypergradient
        >>> Hypergradient(weight_decay=True, on=0.1).rates
        ('learning_rate', 'weight_decay')
    """

    learning_rate: bool = True
    weight_decay: bool = False
    l2: bool = False
    on: str | float = "validation"
    every: int = 10
    examples: int = 128
    step: float = 0.4
    limits: tuple[float, float] = (1e-8, 100.0)

    def __post_init__(self) -> None:
        problems = [
            f"The value of `{name}` is {getattr(self, name)!r}, but must be True or False."
            for name in RATES
            if not isinstance(getattr(self, name), bool)
        ]
        if not problems and not self.rates:
            problems.append(f"Nothing is adjusted: one of {', '.join(f'`{name}`' for name in RATES)} must be True.")
        problems += [
            f"The value of `{name}` is {getattr(self, name)!r}, but must be a whole number >= 1."
            for name in ("every", "examples")
            if not _is_count(getattr(self, name))
        ]
        if not (self.on == "validation" or _is_share(self.on)):
            problems.append(
                f'The value of `on` is {self.on!r}, but must be "validation", or a share of the training examples '
                "between 0 and 1, such as 0.1."
            )
        if not (_is_number(self.step) and 0 < self.step <= 1):
            problems.append(f"The value of `step` is {self.step!r}, but must be in (0, 1].")
        if not _are_limits(self.limits):
            problems.append(
                f"The value of `limits` is {self.limits!r}, but must be two numbers > 0, the lower one first."
            )
        if problems:
            raise InvalidTrainable("Hypergradient: " + " ".join(problems))

    @property
    def rates(self) -> tuple[str, ...]:
        """The names of the rates that are adjusted, which are the names of the metrics that report them."""
        return tuple(name for name in RATES if getattr(self, name))


def split_problem(declared: Hypergradient, data: Data) -> str | None:
    """Return why nothing can be measured on the data of a trial; None if it can.

    Args:
        declared: Says which examples are held out.
        data: The data, as the configuration needs it.
    """
    name = "validation" if declared.on == "validation" else "train"
    examples = data.splits[name]
    if examples is None:
        return (
            "Hypergradient: There is no validation split to measure on: return Data(validation=…), or set aside a "
            "share of the training examples, on=0.1."
        )
    if kind_of(examples) is Kind.ARRAYS:
        return None
    remedy = "on=0.1 takes a share of the training examples" if name == "validation" else 'take on="validation"'
    return (
        f"Hypergradient: Data.{name} is {kind_of(examples)}, but must be arrays, whose rows are drawn: {remedy} where "
        "those are arrays."
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 < value < 1


def _are_limits(value: Any) -> bool:
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and all(_is_number(limit) and limit > 0 for limit in value)
        and value[0] < value[1]
    )
