"""Sources of a warm start that a person names on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tune_jobs.base.named_files import exists, is_folder
from tune_jobs.engine.earlier_results.gather import gather_or_tell
from tune_jobs.engine.earlier_results.keras_tuner_searches import is_keras_tuner_search
from tune_jobs.engine.earlier_results.source import Source
from tune_jobs.engine.earlier_results.studies import absolute_storage, is_storage
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results.find import find_run

_TABLES = (".csv", ".tsv")


def find_sources(references: Sequence[str], storage: Path | str) -> list[Source]:
    """Return the sources that a person names. Paths are absolute: the experiment may want another current folder.

    Args:
        references: Runs, by folder, URI or name; CSV files; folders of KerasTuner; storages of Optuna.
        storage: The folder of all runs, or the URI of one in an object store.

    Raises:
        RequestError: There is no such source. The error tells of each of them.
    """
    sources, problems = _found(references, storage)
    if problems:
        raise RequestError(*problems)
    return sources


def source_problems(experiment: Experiment, references: Sequence[str], storage: Path | str) -> list[str]:
    """Return why sources cannot be a warm start of an experiment: those that are missing, and those that are of no use.

    Args:
        experiment: The experiment. It may be one that was never checked.
        references: The sources, as for ``find_sources``.
        storage: The folder of all runs, or the URI of one in an object store.
    """
    sources, problems = _found(references, storage)
    gather_or_tell(sources, experiment, problems)
    return problems


def _found(references: Sequence[str], storage: Path | str) -> tuple[list[Source], list[str]]:
    sources: list[Source] = []
    problems: list[str] = []
    for reference in references:
        try:
            sources.append(_source(reference, storage))
        except RequestError as error:
            problems += error.problems
    return sources, problems


def _source(reference: str, storage: Path | str) -> Source:
    if is_storage(reference):
        return absolute_storage(reference)
    path = Path(reference)
    if is_folder(path) and is_keras_tuner_search(path):
        return path.absolute()
    if path.suffix in _TABLES or (exists(path) and not is_folder(path)):
        return path.absolute()
    return find_run(reference, storage)
