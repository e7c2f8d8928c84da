"""The space that all programs of time_to_accuracy.py search. Each program declares it in its own way.

The models are dense networks of one to three layers, each with its own width. All programs use the same values; the
learning rate is log-uniform between its bounds.
"""

from __future__ import annotations

LAYERS = (1, 2, 3)
UNITS = (32, 64, 128, 256)
DROPOUT = (0.0, 0.2, 0.4)
OPTIMIZERS = ("Adam", "SGD")
LEARNING_RATE = (1e-4, 1e-1)
BATCH_SIZES = (64, 128, 256)
