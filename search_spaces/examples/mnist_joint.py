"""The space of a dense network on MNIST, all its hyperparameters at once.

For every configuration of ``mnist_sweeps``, this space has one that trains the same network.
"""

from __future__ import annotations

from search_spaces import Boolean, Choice, Float, Int, SearchSpace

SPACE = SearchSpace(
    layers=Int(1, 4),
    units=Int(64, 512, step=64).per("layers"),
    activation=Choice("relu", "elu", "gelu", "tanh", "sigmoid"),
    batch_normalisation=Boolean(),
    dropout=Float(0.0, 0.75, step=0.05),
    input_noise=Float(0.0, 0.5, step=0.1),
    regulariser=Choice(None, "l1", "l2"),
    strength=Float(1e-7, 1e-1, log=True).when(regulariser=["l1", "l2"]),
    weight_constraint=Choice(None, 1.0, 2.0, 3.0, 4.0),
    activity_regularisation=Choice(0.0, 1e-6, 1e-5, 1e-4, 1e-3),
    loss=Choice(
        "categorical_crossentropy", "categorical_focal_crossentropy", "mean_squared_error", "categorical_hinge"
    ),
    optimizer=Choice("adam", "adagrad", "rmsprop", "sgd"),
    learning_rate=Float(1e-4, 1e-1, log=True),
    momentum=Float(0.0, 0.99).when(optimizer=["adam", "rmsprop", "sgd"]),
    batch_size=Int(32, 30_000, log=True),
    early_stopping=Choice(None, 3, 5, 10),
)
