"""How deep and how wide should an MLP be on MNIST?

A published tutorial asks KerasTuner's random search, with 10 trials of 10 epochs. Its test accuracy is 0.9790, its test
loss 0.0826, and its best configuration {num_layers: 1, units_0: 448, units_1: 32, units_2: 32, units_3: 384,
units_4: 192, optimizer: adam, learning_rate: 0.00111}. Four of these five unit counts belong to layers that the network
does not have.

Here a configuration has a number of units for each of its layers, and for no other. Gaussian-process search proposes 10
configurations, the first 5 of them at random. Each is trained for 10 epochs, in batches of 128 instead of the
tutorial's 32. A fifth of the official training images, stratified, chooses.
"""

from __future__ import annotations

from search_spaces.examples.mnist_mlp import SPACE
from trainables.examples.mnist_dense import MnistMlp
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import NoScheduler
from tune_jobs.searchers import Bayesian

EXPERIMENT = Experiment(
    trainable=MnistMlp,
    space=SPACE,
    objective=Objective("val_accuracy", "max"),
    searcher=Bayesian(),
    scheduler=NoScheduler(),
    max_epochs=10,
    trials=10,
    seed=0,
)
