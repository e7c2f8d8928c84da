"""The space of a multilayer perceptron on MNIST: number of layers, width of each, and how it is trained."""

from __future__ import annotations

from search_spaces import Choice, Float, Int, SearchSpace

SPACE = SearchSpace(
    layers=Int(1, 5),
    units=Int(32, 512, step=32).per("layers"),
    optimizer=Choice("adam", "sgd", "rmsprop"),
    learning_rate=Float(1e-4, 1e-2, log=True),
)
