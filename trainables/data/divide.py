"""The division of examples into a part to keep and a part to hold out."""

from __future__ import annotations

import numpy as np


def split(
    x: np.ndarray, y: np.ndarray, fraction: float, *, seed: int = 0, stratify: bool = True
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Divide examples at random into a part to keep and a part to hold out.

    Args:
        x: Inputs, shape (examples, …).
        y: Labels, shape (examples, …).
        fraction: The part of the examples to hold out, in (0, 1).
        seed: The seed of the division.
        stratify: Whether each class is divided alike. Where that makes no sense, the examples are drawn plainly: where
            y holds continuous targets, or has too few examples of a class for one in each part.

    Returns:
        (x, y) of the part to keep and (x, y) of the part that is held out.

    Example:
        >>> import numpy as np
        >>> from trainables import Data, split
        >>> x, y = np.arange(20.0).reshape(10, 2), np.array([0, 1] * 5)
        >>> train, validation = split(x, y, 0.4)
        >>> Data(train, validation).examples
        {'train': 6, 'validation': 4}
        >>> sorted(validation[1].tolist())
        [0, 0, 1, 1]
    """
    from sklearn.model_selection import train_test_split

    try:
        parts = train_test_split(x, y, test_size=fraction, random_state=seed, stratify=y if stratify else None)
    except (TypeError, ValueError):  # scikit-learn lists all values of y that occur once
        parts = train_test_split(x, y, test_size=fraction, random_state=seed)
    x_kept, x_held_out, y_kept, y_held_out = parts
    return (x_kept, y_kept), (x_held_out, y_held_out)
