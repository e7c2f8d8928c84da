"""The refit of a trial: its configuration, trained again on everything that the search has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.exits import described, exits_raised, is_of_the_code
from tune_jobs.base.rules import count_problem
from tune_jobs.base.user_code import instance_of, user_code
from tune_jobs.engine.data import load_data
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.evaluation.description import check_description
from tune_jobs.evaluation.joining import joined
from tune_jobs.evaluation.model_file import check_model_file, write_model
from tune_jobs.evaluation.scoring import Scored, score
from tune_jobs.evaluation.selection import Declared, as_run, data_of_trial, select_trial, trainable_of
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.output import redirect_output
from tune_jobs.host.surroundings import preserved
from tune_jobs.results.layout import EVALUATION_LOG
from tune_jobs.results.ranking import RankedTrial
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from trainables import Data, FitOptions, KerasTrainable, TrainingView
    from trainables.report import Epoch

    OnEpoch = Callable[[Epoch, int], object]


@dataclass(frozen=True)
class Refitted:
    """A configuration that was trained again.

    Attributes:
        ranked: The trial whose configuration it is.
        epochs: The number of epochs that it was trained.
        examples: The number of examples on which it was trained; None if they come from a source.
        left_out: The callbacks that were left out, because they watch a validation metric, which there is not.
        scored: The scores on the test set; None without a test set.
        notes: Sentences that a reader of the file needs to know; empty if plain Keras can load it unchanged.
    """

    ranked: RankedTrial
    epochs: int
    examples: int | None
    left_out: tuple[str, ...]
    scored: Scored | None
    notes: tuple[str, ...]


def refit(
    run: Run | str | Path,
    declared: Declared,
    output: str | Path,
    *,
    trial: int | None = None,
    seed: int | None = None,
    force: bool = False,
    on_epoch: OnEpoch | None = None,
) -> Refitted:
    """Train the best configuration on training and validation data together, in this process, and write the model.

    Args:
        run: The run, or its folder or URI.
        declared: The experiment, or its trainable: code is never taken from a run's folder.
        output: The file, ending in ``.keras``. An existing one is replaced.
        trial: The number of the trial whose configuration and best epoch are used; None: the best.
        seed: The seed of weights and order of examples; None: the run's.
        force: Whether to go on although the space or the code has changed.
        on_epoch: Is called after every epoch with its report and the number of epochs that there will be.

    Returns:
        How the configuration was trained, its scores on the test set, and what a reader of the file needs to know.

    Raises:
        RequestError: There is no such trial, the code has changed, or the model cannot be written.
        RunFailed: The training raised, or diverged; nothing was written.

    Example:
        >>> import tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> refitted = tune_jobs.refit("runs/digits", EXPERIMENT, "refitted.keras", seed=1)
        >>> refitted.examples, refitted.epochs == refitted.ranked.best.epoch
        (1437, True)
    """
    from trainables.devices import prepare as devices

    run, output = as_run(run), Path(output)
    if seed is not None and (problem := count_problem("seed", seed, least=0)):
        raise RequestError(problem)
    check_model_file(output)
    trainable = trainable_of(declared, run, force=force)
    ranked = select_trial(run, trial)
    epochs = ranked.best.epoch if ranked.best else 0
    with preserved(), redirect_output(run.folder / EVALUATION_LOG):
        devices.prepare(this_machine().cpus, None)
        loaded, config = load_data(trainable), dict(ranked.trial.config)
        with user_code(f"{trainable.__name__}.batch_size"):
            builder = WithoutValidation(instance_of(trainable))
        data = data_of_trial(instance_of(trainable), loaded, config)
        model, trained_epochs = _train(builder, run, ranked, loaded, epochs, seed, on_epoch)
        with user_code(f"{trainable.__name__}.fit_options"):
            options = builder.fit_options(config)
        scored = None if data.test is None else score(model, data, options.validation_batch_size)
        notes = write_model(model, output)
    return Refitted(ranked, trained_epochs, builder.examples, builder.left_out, scored, tuple(notes))


def adapted(options: FitOptions, examples: int) -> FitOptions:
    """Return the options of a trial for training without validation, on more examples than the trial had.

    Args:
        options: The result of ``fit_options`` for the training examples, which come first.
        examples: The number of examples now. Those that were added weigh 1.
    """
    import keras

    def with_ones(weights: Any) -> np.ndarray:
        array: np.ndarray = np.asarray(weights, np.float32)
        if not array.ndim:
            return array  # an error, which is reported where the weights are used
        missing = max(0, examples - len(array))
        return np.concatenate([array, np.ones((missing, *array.shape[1:]), np.float32)])

    callbacks = [callback for callback in options.callbacks if not _watches_validation(callback)]
    weights = options.sample_weight
    if weights is not None:
        weights = keras.tree.map_structure(with_ones, weights)
    return replace(options, callbacks=callbacks, sample_weight=weights)


def _watches_validation(callback: Any) -> bool:
    return str(getattr(callback, "monitor", "")).startswith("val_")


class WithoutValidation:
    """A trainable that trains on training and validation data together: see ``BuildsModels``.

    Args:
        trainable: The trainable.

    Attributes:
        batch_size: The trainable's.
        examples: The number of examples on which the model is trained; None if they come from a source, or are not
            prepared yet.
        left_out: The names of the callbacks that ``fit_options`` has left out.
        hypergradient: The trainable's. What it measured on the validation split it measures on a share that is set
            aside, and that is as large.
    """

    def __init__(self, trainable: KerasTrainable) -> None:
        self.batch_size = trainable.batch_size
        self.examples: int | None = None
        self.left_out: tuple[str, ...] = ()
        self.hypergradient = trainable.hypergradient
        self._trainable = trainable

    @property
    def name(self) -> str:
        """The name of the trainable's class."""
        return type(self._trainable).__name__

    def prepare(self, data: Data, config: dict[str, Any]) -> Data:
        """Return the data as the trainable prepares it, with the validation examples after the training examples."""
        from trainables import InvalidTrainable
        from trainables.training.model import prepared

        data = prepared(self._trainable, data, config)
        try:
            everything = replace(data, train=joined(data.train, data.validation), validation=None, test=None)
        except ValueError as error:
            raise InvalidTrainable(str(error)) from error
        self.examples = everything.examples["train"]
        held_out = data.examples.get("validation")
        if self.hypergradient is not None and self.hypergradient.on == "validation" and self.examples and held_out:
            self.hypergradient = replace(self.hypergradient, on=held_out / self.examples)
        return everything

    def build_model(self, config: dict[str, Any], data: TrainingView) -> Any:
        """Return the trainable's model."""
        from trainables.training.view import call_build_model

        return call_build_model(self._trainable.build_model, config, lambda: data)

    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        """Return the trainable's options without the callbacks that watch a validation metric."""
        options = self._trainable.fit_options(config)
        self.left_out = tuple(
            type(callback).__name__ for callback in options.callbacks if _watches_validation(callback)
        )
        return adapted(options, self.examples or 0)


def _train(
    builder: WithoutValidation,
    run: Run,
    ranked: RankedTrial,
    data: Data,
    epochs: int,
    seed: int | None,
    on_epoch: OnEpoch | None,
) -> tuple[Any, int]:
    """Return the trained model, and its number of epochs: fewer than asked for if a callback ended the training."""
    from trainables import InvalidTrainable, TrialSettings
    from trainables.training.training import Training

    record = run.experiment
    max_epochs = record.get("max_epochs")  # callbacks may plan for it, such as a learning rate that falls to the end
    settings = TrialSettings(
        max_epochs=max_epochs if isinstance(max_epochs, int) and max_epochs >= epochs else epochs,
        seed=int(record.get("seed", 0)) if seed is None else seed,
    )
    number = ranked.trial.trial
    try:
        with exits_raised():
            training = Training(builder, ranked.trial.config, data, settings, number)
            check_description(training.model, training.example)  # before it takes hours to train it
            while training.epoch < epochs and not training.ended:
                epoch = training.run_epoch()
                if on_epoch:
                    on_epoch(epoch, epochs)
            training.end()
    except InvalidTrainable as error:
        # The message names the class that built the model: the user's, not the one around it.
        raise RequestError(str(error).replace(type(builder).__name__, builder.name)) from error
    except RequestError:
        raise
    except BaseException as error:
        if not is_of_the_code(error):
            raise
        raise RunFailed(f"Training trial {number} again failed: {described(error)}") from error
    if training.diverged:
        raise RunFailed(
            f"The training loss diverged in epoch {training.epoch} of {epochs}: nothing was written. Another --seed "
            "or --trial may not."
        )
    return training.model, training.epoch
