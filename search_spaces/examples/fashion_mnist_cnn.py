"""The space of a small convolutional network on Fashion-MNIST: its head, and how it is trained."""

from __future__ import annotations

from search_spaces import Choice, Float, Int, SearchSpace

SPACE = SearchSpace(
    nodes=Int(64, 512, step=32),
    dropout=Float(0.1, 0.5, step=0.1),
    learning_rate=Float(1e-4, 1e-2, log=True),
    optimizer=Choice("adam", "rmsprop"),
)
