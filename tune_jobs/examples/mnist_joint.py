"""What suits a dense network on MNIST, all chosen at once?

`mnist_sweeps` asks the same question, but decides one hyperparameter at a time. So each of its decisions depends on the
values that the others happened to have. The published notebook that it follows names further hyperparameters without
trying them: loss function, activation, early stopping, batch normalisation, weight constraints, activity regularisation
and input noise. They are in this space as well, and the space holds every network of the sweeps. (Of the losses, KL
divergence is left out: with one-hot labels its gradient is that of cross-entropy.)

HyperOpt proposes; ASHA lets the best third go on after 3, 9 and 27 of 40 epochs. The budget is that of the sweeps if
none of their steps is skipped: 33 trials of 40 epochs. To compare with another run, give its budget to
`--total-epochs`.
"""

from __future__ import annotations

from search_spaces.examples.mnist_joint import SPACE
from trainables.examples.mnist_dense import MnistDense
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA
from tune_jobs.searchers import HyperOpt

EXPERIMENT = Experiment(
    trainable=MnistDense,
    space=SPACE,
    objective=Objective("val_accuracy", "max"),
    searcher=HyperOpt(),
    scheduler=ASHA(grace_period=3, reduction_factor=3),
    max_epochs=40,
    total_epochs=33 * 40,
    seed=0,
)
