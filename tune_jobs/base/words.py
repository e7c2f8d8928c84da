"""Words that declarations, decisions and views have in common."""

from __future__ import annotations


def count(amount: float, noun: str) -> str:
    """An amount of things: "1 trial", "1,000 trials", "0.25 GPUs"."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"
