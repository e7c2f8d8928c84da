"""The reasons why the trials of an experiment cannot train together, several in a worker."""

from __future__ import annotations

from typing import Any

from tune_jobs.base.rules import count_problem
from tune_jobs.experiment.resources import Resources
from tune_jobs.experiment.trainable_problems import keras_backend

_OWN_STEPS = ("step", "_begin_training")


def together_problems(together: Any, trainable: Any, resources: Any, on_oom: Any) -> list[str]:
    """Return why trials of an experiment cannot train together, on whatever backend.

    Args:
        together: The number of trials in a worker.
        trainable: The class of the trials.
        resources: The resources of a worker.
        on_oom: What happens to a trial that runs out of its share of a GPU.
    """
    if problem := count_problem("together", together):
        return [problem]
    if together == 1:
        return []
    gpus = resources.gpus if isinstance(resources, Resources) else 0
    problems = []
    if gpus == "auto" or on_oom == "grow":
        problems.append(
            "the shares of a GPU differ between trials with `gpus='auto'` and `on_oom='grow'`: give every worker the "
            "same number of GPUs, and let `on_oom` be 'fail'."
        )
    elif isinstance(gpus, int | float) and gpus > 1:
        problems.append(f"a worker has {gpus:g} GPUs, and trials train together on one at most: ask for 1 or less.")
    return [f"The value of `together` is {together}, but {each}" for each in [*problems, *_of_trainable(trainable)]]


def _of_trainable(trainable: Any) -> list[str]:
    from trainables import Hypergradient, KerasTrainable

    if not (isinstance(trainable, type) and issubclass(trainable, KerasTrainable)):
        return []
    name, problems = trainable.__name__, []
    if any(getattr(trainable, step) is not getattr(KerasTrainable, step) for step in _OWN_STEPS):
        problems.append(f"{name} has steps of its own, and only epochs of Keras train together: let it be 1.")
    if isinstance(getattr(trainable, "hypergradient", None), Hypergradient):
        problems.append(
            f"{name}.hypergradient works on TensorFlow, and trials train together on JAX: let it be 1, or set "
            "hypergradient = None."
        )
    return problems


def backend_problems(together: Any) -> list[str]:
    """Return why trials cannot train together in workers whose environment is that of this process.

    Args:
        together: The number of trials in a worker.
    """
    backend = keras_backend()
    if together == 1 or backend == "jax" or count_problem("together", together):
        return []
    return [
        f"The value of `together` is {together}, but Keras runs on {backend} here, and trials train together on JAX "
        "only: set KERAS_BACKEND=jax, or let it be 1."
    ]
