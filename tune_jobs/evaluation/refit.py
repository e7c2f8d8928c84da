"""The best configuration, trained again on all that the search has seen, for as many epochs as were best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tune_jobs.base.rules import count_problem
from tune_jobs.engine.driver import load_data
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.evaluation.model_file import check_model_file, write_model
from tune_jobs.evaluation.scoring import Scored, score
from tune_jobs.evaluation.selection import Declared, as_run, chosen_place, trainable_of
from tune_jobs.host.capacity import this_machine
from tune_jobs.host.output import redirect_output
from tune_jobs.results.layout import EVALUATION_LOG
from tune_jobs.results.ranking import RankedTrial
from tune_jobs.results.run import Run

if TYPE_CHECKING:
    from trainables import Data, FitOptions, KerasTrainable
    from trainables.data import Split
    from trainables.report import Epoch

    OnEpoch = Callable[[Epoch, int], object]


@dataclass(frozen=True)
class Refitted:
    """A configuration trained again.

    Attributes:
        place: The trial whose configuration it is.
        epochs: How many epochs it was trained.
        examples: On how many examples.
        left_out: The callbacks that watch a validation metric, which there is not.
        scored: What it is worth on the test set; None without one.
        notes: What who reads the file must know; nothing where plain Keras reads it as it is.
    """

    place: RankedTrial
    epochs: int
    examples: int
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
    """Trains the best configuration on training and validation data together, in this process, and writes the model.

    Args:
        run: The run, or its folder.
        declared: The experiment, or its trainable: code is never taken from a run's folder.
        output: The file, ending in .keras; one that is there already is replaced.
        trial: Whose configuration and best epoch; by default the best trial's.
        seed: Seed of weights and order of examples; None: the run's.
        force: Go on although the space or the code has changed.
        on_epoch: Hears of every epoch, and how many there will be.

    Raises:
        RequestError: There is no such trial, the code is another, or the model cannot be written.
        RunFailed: The training raised, or diverged; nothing was written.
    """
    from trainables.data import length
    from trainables.devices import prepare as devices

    run, output = as_run(run), Path(output)
    if seed is not None and (problem := count_problem("seed", seed, least=0)):
        raise RequestError(problem)
    check_model_file(output)
    trainable = trainable_of(declared, run, force=force)
    place = chosen_place(run, trial)
    epochs = place.best.epoch if place.best else 0
    with redirect_output(run.folder / EVALUATION_LOG):
        devices.prepare(this_machine().cpus, None)
        data = load_data(trainable)
        together = replace(data, train=joined(data.train, data.validation), validation=None, test=None)
        worker, left_out = _without_validation(trainable.standalone(), length(together.train))
        model, trained = _trained(worker, run, place, together, epochs, seed, on_epoch)
        options = worker.fit_options(dict(place.trial.config))
        scored = score(model, data, options.validation_batch_size) if data.test else None
        notes = write_model(model, output)
    return Refitted(place, trained, length(together.train), tuple(left_out), scored, tuple(notes))


def joined(first: Split, second: Split | None) -> Split:
    """Two splits one after the other; where only one has sample weights, the other's examples weigh 1."""
    import keras

    from trainables.data import length

    if second is None:
        return first
    parts = [first, second]
    if len(first) != len(second):
        parts = [part if len(part) == 3 else (*part, np.ones(length(part), np.float32)) for part in parts]
    joint: Split = keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)
    return joint


def adapted(options: FitOptions, examples: int) -> FitOptions:
    """The options of a trial for training without validation, on more examples than it had.

    Args:
        options: What ``fit_options`` returned for the training examples, which come first.
        examples: How many there are now; those that were added weigh 1.
    """
    callbacks = [callback for callback in options.callbacks if not _watches_validation(callback)]
    weights = options.sample_weight
    if weights is not None:
        weights = np.asarray(weights, np.float32)
        if weights.ndim == 1:  # what is wrong otherwise is told where it is used
            weights = np.concatenate([weights, np.ones(max(0, examples - len(weights)), np.float32)])
    return replace(options, callbacks=callbacks, sample_weight=weights)


def _watches_validation(callback: Any) -> bool:
    return str(getattr(callback, "monitor", "")).startswith("val_")


def _without_validation(worker: KerasTrainable, examples: int) -> tuple[KerasTrainable, list[str]]:
    """The trainable with other options, and the names of the callbacks that are missing, once it has been asked."""
    declared, left_out = worker.fit_options, list[str]()

    def fit_options(config: dict[str, Any]) -> FitOptions:
        options = declared(config)
        watching = [type(callback).__name__ for callback in options.callbacks if _watches_validation(callback)]
        left_out[:] = watching
        return adapted(options, examples)

    worker.fit_options = fit_options  # type: ignore[method-assign]  # of this instance alone
    return worker, left_out


def _trained(
    worker: KerasTrainable,
    run: Run,
    place: RankedTrial,
    data: Data,
    epochs: int,
    seed: int | None,
    on_epoch: OnEpoch | None,
) -> tuple[Any, int]:
    """The trained model, and for how many epochs it was: fewer than asked for when a callback ended it."""
    from trainables import InvalidTrainable, TrialSettings
    from trainables.training.training import Training

    asked = run.experiment
    most = asked.get("max_epochs")  # what callbacks may plan for, such as a learning rate that falls to the end
    settings = TrialSettings(
        max_epochs=most if isinstance(most, int) and most >= epochs else epochs,
        seed=int(asked.get("seed", 0)) if seed is None else seed,
    )
    try:
        training = Training(worker, place.trial.config, data, settings, place.trial.trial)
        while training.epoch < epochs and not training.ended:
            epoch = training.run_epoch()
            if on_epoch:
                on_epoch(epoch, epochs)
        training.end()
    except InvalidTrainable as error:
        raise RequestError(str(error)) from error
    except Exception as error:
        raise RunFailed(f"Training trial {place.trial.trial} again failed: {type(error).__name__}: {error}") from error
    if training.diverged:
        raise RunFailed(
            f"The training loss diverged in epoch {training.epoch} of {epochs}: nothing was written. Another --seed "
            "or --trial may not."
        )
    return training.model, training.epoch
