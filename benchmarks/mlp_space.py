"""The space that the programs of time_to_accuracy.py search, once; each of them says it in its own language.

Dense networks of one to three layers, each with a width of its own. All have the same values, the learning rate
log-uniform between its bounds.
"""

LAYERS = (1, 2, 3)
UNITS = (32, 64, 128, 256)
DROPOUT = (0.0, 0.2, 0.4)
OPTIMIZERS = ("Adam", "SGD")
LEARNING_RATE = (1e-4, 1e-1)
BATCH_SIZES = (64, 128, 256)
