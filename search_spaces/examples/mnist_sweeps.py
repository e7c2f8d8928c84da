"""The space of a dense network on MNIST as grids of a few values; a sweep begins with the first value of each."""

from __future__ import annotations

from search_spaces import Choice, SearchSpace

SPACE = SearchSpace(
    layers=Choice(2, 3, 4),
    nodes=Choice(64, 128, 256),
    optimizer=Choice("adam", "adagrad", "rmsprop", "sgd"),
    batch_size=Choice(2000, 5000, 10_000, 30_000),
    learning_rate=Choice(1e-3, 1e-1, 1e-2, 1e-4),
    momentum=Choice(0.9, 0.99, 0.5, 0.1).when(optimizer=["adam", "rmsprop", "sgd"]),
    regulariser=Choice(None, "l1", "l2"),
    strength=Choice(1e-1, 1e-2, 1e-3, 1e-4).when(regulariser=["l1", "l2"]),
    dropout=Choice(0.0, 0.1, 0.25, 0.5, 0.75),
)
