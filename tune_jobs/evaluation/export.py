"""The export of a trial: its model with the weights of its best epoch, in a file that plain Keras reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tune_jobs.evaluation.model_file import check_model_file, write_model
from tune_jobs.evaluation.selection import Declared, as_run, restore_model, select_with_weights, trainable_of
from tune_jobs.host.output import drop_native_stderr
from tune_jobs.host.surroundings import preserved
from tune_jobs.results.ranking import RankedTrial
from tune_jobs.results.run import Run


@dataclass(frozen=True)
class Exported:
    """A model that was exported to a file.

    Attributes:
        ranked: The trial, with its rank and its best epoch.
        epoch: The epoch of the weights: the best one, unless the newest checkpoint is older.
        notes: Sentences that a reader of the file needs to know; empty if plain Keras can load it unchanged.
    """

    ranked: RankedTrial
    epoch: int
    notes: tuple[str, ...]


def export(
    run: Run | str | Path,
    declared: Declared,
    output: str | Path,
    *,
    trial: int | None = None,
    force: bool = False,
) -> Exported:
    """Write a trial's model with the weights of its best epoch for ``keras.models.load_model``.

    Args:
        run: The run, or its folder or URI.
        declared: The experiment, or its trainable: code is never taken from a run's folder.
        output: The file, ending in ``.keras``. An existing one is replaced.
        trial: The number of the trial; None: the best.
        force: Whether to go on although the space or the code has changed.

    Returns:
        The trial, the epoch of its weights, and what a reader of the file needs to know.

    Raises:
        RequestError: There is no such trial, it has no weights, the code has changed, or the model cannot be written.

    Example:
        >>> import keras, tune_jobs
        >>> from tune_jobs.examples.digits_mlp import EXPERIMENT
        >>> tune_jobs.export("runs/digits", EXPERIMENT, "best.keras").notes
        ()
        >>> keras.models.load_model("best.keras").output_shape
        (None, 10)
    """
    run, output = as_run(run), Path(output)
    check_model_file(output)
    trainable = trainable_of(declared, run, force=force)
    (ranked,) = select_with_weights(run, trial, None)
    with preserved(), drop_native_stderr():
        model, weights = restore_model(run, ranked, trainable, None)
        return Exported(ranked, weights.epoch, tuple(write_model(model, output, weights.example)))
