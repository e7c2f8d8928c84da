"""Kinds of data that a model can be trained on: one array, several of them, with weights, of text and whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainables import Data

EXAMPLES = {"train": 21, "validation": 9, "test": 14}
"""Examples of each split; no batch size divides them."""

WORDS = ("green", "red", "blue")
CLASSES = len(WORDS)

Split = tuple[Any, ...]


def numbers(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x of shape (examples, 4) and the class of each example, shape (examples,)."""
    generator = np.random.default_rng(seed)
    y = (np.arange(examples) % CLASSES).astype(np.int32)
    return (generator.normal(size=(examples, 4)) + y[:, None]).astype(np.float32), y


def _quantities(x: np.ndarray) -> np.ndarray:
    return x[:, :1] * 2 + x[:, 1:2]


def _weights(examples: int) -> np.ndarray:
    return np.linspace(0.5, 2, examples, dtype=np.float32)


def _split(kind: str, examples: int, seed: int) -> Split:
    x, y = numbers(examples, seed)
    left, right = x[:, :1], x[:, 1:]
    weights = _weights(examples)
    return {
        "array": lambda: (x, y),
        "one_hot": lambda: (x.astype(np.float64), np.eye(CLASSES, dtype=np.float32)[y]),
        "quantity": lambda: (x, _quantities(x)),
        "quantity_without_axis": lambda: (x, _quantities(x)[:, 0].astype(np.float64)),
        "binary": lambda: (x, y > 0),
        "weighted": lambda: (x, y, weights),
        "list": lambda: ([left, right], y),
        "tuple": lambda: ((left, right), y, weights),
        "dict": lambda: ({"left": left, "right": right}, y),
        "nested": lambda: ({"pair": [left, right], "rest": (x,)}, y),
        "one_in_a_list": lambda: ([x], [y]),
        "words": lambda: ({"word": np.array(WORDS)[y][:, None], "number": right}, y),
        "images": lambda: (np.clip(x * 60 + 90, 0, 255).astype(np.uint8).reshape(-1, 2, 2, 1), y),
        "sequences": lambda: (_sequences(x), y),
        "labelled_steps": lambda: (_sequences(x), np.minimum(_sequences(x), CLASSES - 1)),
        "two_targets_list": lambda: (x, [y, _quantities(x)]),
        "two_targets_tuple": lambda: (x, (y, _quantities(x)), weights),
        "two_targets_dict": lambda: (x, {"kind": y, "size": _quantities(x)}),
        "two_targets_weighted": lambda: (
            {"left": left, "right": right},
            {"kind": y, "size": _quantities(x)},
            {"kind": weights, "size": weights[::-1].copy()},
        ),
        "lists_on_both_sides": lambda: ([left, right], [y, _quantities(x)], [weights, weights[::-1].copy()]),
    }[kind]()


def _sequences(x: np.ndarray) -> np.ndarray:
    """Return four whole numbers from 0 to 5 per example; 0 is a gap."""
    return np.clip(np.round(x + 2), 0, 5).astype(np.int32)


def split(kind: str, name: str) -> Split:
    """Return a split of a kind of data.

    Args:
        kind: The kind.
        name: ``train``, ``validation`` or ``test``.
    """
    return _split(kind, EXAMPLES[name], list(EXAMPLES).index(name))


def data(kind: str) -> Data:
    """Return the data of a kind."""
    return Data(*(split(kind, name) for name in EXAMPLES))
