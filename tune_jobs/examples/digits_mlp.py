"""Which multilayer perceptron reads handwritten digits best?

The images come with scikit-learn. HyperOpt proposes 30 configurations. ASHA lets the best third of them go on after
1, 3 and 9 of 27 epochs.
"""

from __future__ import annotations

from search_spaces.examples.digits_mlp import SPACE
from trainables.examples.digits_mlp import DigitsMlp
from tune_jobs.base.objective import Objective
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import ASHA
from tune_jobs.searchers import HyperOpt

EXPERIMENT = Experiment(
    trainable=DigitsMlp,
    space=SPACE,
    objective=Objective("val_accuracy", "max"),
    searcher=HyperOpt(),
    scheduler=ASHA(grace_period=1, reduction_factor=3),
    max_epochs=27,
    trials=30,
    seed=0,
)
