"""The space of a multilayer perceptron on scikit-learn's digits: few small images, so small layers and batches."""

from __future__ import annotations

from search_spaces import Choice, Float, Int, SearchSpace

SPACE = SearchSpace(
    layers=Int(1, 3),
    units=Int(16, 128, step=16).per("layers"),
    dropout=Float(0.0, 0.5, step=0.1),
    optimizer=Choice("adam", "rmsprop", "sgd"),
    learning_rate=Float(1e-3, 1e-1, log=True),
    momentum=Float(0.0, 0.95).when(optimizer="sgd"),
    batch_size=Choice(32, 64, 128),
)
