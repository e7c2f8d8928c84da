"""The trained models of a search: built by the hypermodel, with the weights of a trial's best epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainables import Data
from trainables.data.kinds import is_source
from trainables.internals.global_state import forget_names, remember_names
from trainables.tensorflow_log import quiet_tensorflow
from tune_jobs.errors import RequestError
from tune_jobs.keras_tuner.define_by_run.hyperparameters import HyperParameters
from tune_jobs.keras_tuner.trial import Trial, trial_number
from tune_jobs.results.models import best_weights, load_model
from tune_jobs.results.run import Run


def trained_model(run: Run, trial: Trial, build: Callable[[HyperParameters], Any], data: Data | None) -> Any:
    """Return the model of a trial, compiled, with the weights of its best epoch.

    A model that is built by its first batch gets the shapes of the training examples or, where these are not known
    (the search was reloaded), those that its description has.

    Args:
        run: The run of the search.
        trial: The trial.
        build: Builds the compiled model.
        data: The data of the search; None: it is not known.

    Raises:
        RequestError: There are no weights, or the model cannot be built.
    """
    quiet_tensorflow()
    number = trial_number(trial)
    run.bring_weights()
    put_back = remember_names()
    forget_names()  # a metric of each of several models is to have the name that it had in its trial
    try:
        model = build(trial.hyperparameters)
    finally:
        put_back()
    if not model.built:
        if data is not None:
            from trainables.training.model import create_variables

            create_variables(model, _example(data.train))
        else:
            described = load_model(run.folder, run.history().trials[number], run.objective, None)
            model.build_from_config(described.get_build_config())
    if not model.built:
        raise RequestError(
            f"The model of trial {number} is built by its first batch: call search() first, which knows the examples."
        )
    model.set_weights(best_weights(run.folder, number).arrays)
    return model


def _example(train: Any) -> Any:
    """Return examples of a training split, whose shapes a model is built by."""
    if not is_source(train):
        return train
    import keras

    first = train[0] if isinstance(train, keras.utils.PyDataset) else next(iter(train() if callable(train) else train))
    return keras.tree.map_structure(np.asarray, first)
