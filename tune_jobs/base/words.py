"""Words that decisions and views have in common."""

from __future__ import annotations


def quantity(amount: float, noun: str) -> str:
    """Return an amount of things as text: "1 trial", "1,000 trials", "0.25 GPUs".

    Args:
        amount: The amount.
        noun: The noun for one of them.
    """
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"
