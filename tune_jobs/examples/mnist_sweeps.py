"""What suits a dense network on MNIST, one choice at a time?

A published notebook asks this question in nine grids, and carries the winner of each grid into the next. Its best
validation accuracy is 0.9797. It adds an output layer, compiles and trains within the loop over the layers, so softmax
layers are stacked and training is repeated. Its inner layers have 784 units, whatever the grid says. Its momentum is
`ema_momentum`, which does nothing. The set that it validates on, and chooses by, is the test set.

Here the grids are steps of one run: layers x nodes (two of the nine), optimizer, batch size, learning rate, momentum,
regulariser x strength (l1 and l2, two of the nine, and none), dropout. Each layer has the units that the grid says.
Momentum is the coefficient by which the optimizer averages gradients; adagrad has none, and then that step is skipped.
The sweep begins with Adam's defaults. With them SGD takes steps as long as with its own (0.001 / (1 - 0.9) = 0.01).
10,000 of the official training images choose. `tune-jobs path RUN` shows the path that the sweep took.
"""

from __future__ import annotations

from search_spaces.examples.mnist_sweeps import SPACE
from trainables.examples.mnist_dense import MnistDense
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Sweep

EXPERIMENT = Experiment(
    trainable=MnistDense,
    space=SPACE,
    objective=Objective("val_accuracy", "max"),
    searcher=Sweep(
        steps=(
            ("layers", "nodes"),
            "optimizer",
            "batch_size",
            "learning_rate",
            "momentum",
            ("regulariser", "strength"),
            "dropout",
        ),
        start={
            "optimizer": "adam",
            "batch_size": 2000,
            "learning_rate": 1e-3,
            "momentum": 0.9,
            "regulariser": None,
            "dropout": 0.0,
        },
    ),
    scheduler=NoScheduler(),
    max_epochs=40,
    seed=0,
)
