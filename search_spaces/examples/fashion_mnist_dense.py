"""The space of two dense layers of 128 units on Fashion-MNIST: everything about them except their size."""

from __future__ import annotations

from search_spaces import Choice, Fixed, Float, SearchSpace

SPACE = SearchSpace(
    units=Fixed([128, 128]),
    activation=Choice("relu", "sigmoid"),
    dropout=Float(0.0, 0.5, step=0.1),
    optimizer=Choice("sgd", "adam"),
    learning_rate=Float(1e-4, 1.0, log=True),
    batch_size=Choice(64, 128, 256, 512, 1000),
)
