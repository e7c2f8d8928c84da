"""Words that decisions and views have in common."""

from __future__ import annotations

_APPENDICES = ("\nExample:", "\n\nconfig=", "Arguments received by")


def quantity(amount: float, noun: str) -> str:
    """Return an amount of things as text: "1 trial", "1,000 trials", "0.25 GPUs".

    Args:
        amount: The amount.
        noun: The noun for one of them.
    """
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def first_sentences(error: BaseException, most: int = 300) -> str:
    """Return the beginning of an error's text in one line, without the example or the configuration that Keras adds.

    Args:
        error: The error.
        most: The number of characters at most.
    """
    text = str(error)
    for marker in _APPENDICES:
        text = text.partition(marker)[0]
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
