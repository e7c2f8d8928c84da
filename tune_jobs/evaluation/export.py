"""The weights of a trial's best epoch in a file that plain Keras reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tune_jobs.evaluation.model_file import check_model_file, write_model
from tune_jobs.evaluation.selection import Declared, as_run, places_with_weights, trainable_of, trained_model
from tune_jobs.host.output import drop_native_stderr
from tune_jobs.results.ranking import RankedTrial
from tune_jobs.results.run import Run


@dataclass(frozen=True)
class Exported:
    """A model in a file.

    Attributes:
        place: The trial, with its rank and its best epoch.
        epoch: The epoch that the weights are of: the best one, unless the newest checkpoint is older.
        notes: What who reads the file must know; nothing where plain Keras reads it as it is.
    """

    place: RankedTrial
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
    """Writes a trial's model with the weights of its best epoch for ``keras.models.load_model``.

    Args:
        run: The run, or its folder.
        declared: The experiment, or its trainable: code is never taken from a run's folder.
        output: The file, ending in .keras; one that is there already is replaced.
        trial: Which trial; by default the best.
        force: Go on although the space or the code has changed.

    Raises:
        RequestError: There is no such trial, no weights, the code is another, or the model cannot be written.
    """
    run, output = as_run(run), Path(output)
    check_model_file(output)
    trainable = trainable_of(declared, run, force=force)
    (place,) = places_with_weights(run, trial, None)
    with drop_native_stderr():
        model, epoch = trained_model(run, place, trainable, None)
        return Exported(place, epoch, tuple(write_model(model, output)))
