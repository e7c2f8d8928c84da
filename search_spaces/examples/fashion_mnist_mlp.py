"""The space of a multilayer perceptron on Fashion-MNIST."""

from __future__ import annotations

from search_spaces import Choice, Float, Int, SearchSpace

SPACE = SearchSpace(
    layers=Int(1, 5),
    units=Int(32, 512, step=32).per("layers"),
    dropout=Float(0.0, 0.5, step=0.1),
    optimizer=Choice("adam", "rmsprop", "sgd"),
    learning_rate=Float(1e-4, 1e-2, log=True),
    momentum=Float(0.0, 0.99).when(optimizer="sgd"),
    batch_size=Choice(128, 256, 512),
)
