"""Gathering of earlier results for a new run: each source is read, translated into the space, and told in one line."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces import InvalidDeclaration
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.base.named_files import exists, is_folder
from tune_jobs.engine.decisions.failures import FAILED_STATUSES
from tune_jobs.engine.decisions.warm_start import TakenTrials
from tune_jobs.engine.earlier_results.keras_tuner_searches import is_keras_tuner_search, read_keras_tuner_search
from tune_jobs.engine.earlier_results.runs import read_run
from tune_jobs.engine.earlier_results.source import EarlierResult, EarlierSearch, WarmStart, is_frame
from tune_jobs.engine.earlier_results.studies import is_storage, read_study
from tune_jobs.engine.earlier_results.tables import read_table
from tune_jobs.engine.earlier_results.translation import Changes, LeftOut, translated
from tune_jobs.errors import RequestError
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import EpochReported, Event, Noted, Status, TrialEnded, TrialStarted
from tune_jobs.results.find import load_run
from tune_jobs.results.run import Run

_WITHOUT_VALUE, _UNFINISHED = "without a value", "unfinished"


def gather(sources: Sequence[Any], experiment: Experiment) -> tuple[list[TakenTrials], list[Event]]:
    """Read the results of other searches that say something about an experiment.

    Args:
        sources: The sources: see ``WarmStart``, which each of them may be, or what stands in one.
        experiment: The experiment of the new run.

    Returns:
        What was taken of each source; and the results as events, reduced to what a searcher learns from. They are
        numbered from 0 over all sources, and a note precedes those of each.

    Raises:
        RequestError: A source cannot be read or used, or the searcher learns from its own trials only. All problems of
            all sources are told.
    """
    taken: list[TakenTrials] = []
    lessons: list[Event] = []
    problems: list[str] = []
    if sources and not experiment.searcher.WARM:
        problems.append(f"{type(experiment.searcher).__name__} cannot be told of other runs: leave the warm start out.")
    count = 0
    for source in sources:
        try:
            how = source if isinstance(source, WarmStart) else WarmStart(source)
            search = _read(how, experiment)
            if mistakes := _problems(search, how, experiment):
                problems += mistakes
                continue
            one, events = _taken(search, how, experiment, count)
        except (RequestError, InvalidDeclaration) as error:
            problems += error.problems
            continue
        taken.append(one)
        lessons += [Noted(time_s=time.time(), trial=None, text=str(one)), *events]
        count += len(one.trials)
    if problems:
        raise RequestError(*dict.fromkeys(problems))
    return taken, lessons


def gather_or_tell(
    sources: Sequence[Any], experiment: Experiment, problems: list[str]
) -> tuple[list[TakenTrials], list[Event]]:
    """Return what is taken of sources, and the events; add what is wrong with them to the problems of a request.

    Args:
        sources: The sources, as for ``gather``.
        experiment: The experiment. It may be one that was never checked; then nothing is read.
        problems: The problems of the request so far.
    """
    if sources and not experiment.problems():
        try:
            return gather(sources, experiment)
        except RequestError as error:
            problems += error.problems
    return [], []


def _read(how: WarmStart, experiment: Experiment) -> EarlierSearch:
    source, objective = how.source, experiment.objective
    if isinstance(source, Run):
        return read_run(source, how, objective)
    if is_storage(source):
        return read_study(source, how, objective, experiment.max_epochs)
    if is_frame(source):
        return read_table(source, how, objective, experiment.space)
    if "://" not in str(source):
        path = Path(source)
        if is_folder(path) and is_keras_tuner_search(path):
            return read_keras_tuner_search(path, how, objective, experiment.max_epochs)
        if exists(path) and not is_folder(path):
            return read_table(path, how, objective, experiment.space)
        if path.suffix in (".csv", ".tsv", ".txt") and not exists(path):
            raise RequestError(f"There is no file {source}.")
    return read_run(load_run(source), how, objective)


def _problems(search: EarlierSearch, how: WarmStart, experiment: Experiment) -> list[str]:
    """Return why a source says nothing about an experiment, whatever its single results are."""
    space = experiment.space
    if not search.results:
        return [f"{search.name} has no results: leave it out of the warm start."]
    problems = []
    labels = {slot.label for slot in space.slots()}
    known = {label for result in search.results for label in result.values}
    if not labels & known:
        others = sorted(search.parameters) or sorted(known)
        has = f"only {', '.join(others[:10])}" if others else "no parameters at all"
        problems.append(
            f"{search.name} has none of the space's parameters ({', '.join(space.parameters)}), {has}: leave it out of "
            "the warm start."
        )
    if unknown := sorted(how.values.keys() - labels - space.parameters.keys()):
        problems.append(
            f"The value of `values` names {', '.join(unknown)}, which the space does not have: it has "
            f"{', '.join(space.parameters)}."
        )
    return problems


def _taken(
    search: EarlierSearch, how: WarmStart, experiment: Experiment, first: int
) -> tuple[TakenTrials, list[Event]]:
    """Return what of a source was taken, and the events of its results.

    Args:
        search: The earlier search.
        how: The way in which it is taken.
        experiment: The experiment of the new run.
        first: The number of its first result among those of all sources.

    Raises:
        RequestError: No result can be used.
    """
    events: list[Event] = []
    numbers: list[int] = []
    dropped: Counter[str] = Counter()
    changes = Changes()
    for index, result in enumerate(search.results):
        rng = np.random.default_rng([experiment.seed, index, RandomStream.PRIOR])
        try:
            config, changed = _config(result, how, experiment, rng)
            events += list(_events(result, config, first + len(numbers), search, experiment))
        except LeftOut as reason:
            dropped[str(reason)] += 1
            continue
        numbers.append(result.number)
        changes.count(changed)
    in_words = tuple(changes.sentences(search.parameters, experiment.space))
    taken = TakenTrials(search.name, tuple(numbers), len(search.results), dict(dropped.most_common()), in_words)
    if not numbers:
        raise RequestError(f"{str(taken)[0].upper()}{str(taken)[1:]}. Leave it out of the warm start.")
    return taken, events


def _config(
    result: EarlierResult, how: WarmStart, experiment: Experiment, rng: np.random.Generator
) -> tuple[Config, Changes]:
    """Return the configuration of a result in the space, and what was changed for it.

    Raises:
        LeftOut: The result says nothing.
    """
    if result.status is Status.RUNNING:
        raise LeftOut(_UNFINISHED)
    if result.status is Status.REFUSED:
        raise LeftOut("refused by a constraint")
    if not result.objective_by_epoch and result.status not in FAILED_STATUSES:
        raise LeftOut(_WITHOUT_VALUE)
    config, changes = translated(result.values, experiment.space, how, rng)
    if experiment.searcher.FORESEEN and (changes.drawn or changes.moved or changes.clamped):
        # It learns nothing, but does not try again what was tried: and this was not.
        name = next(iter(changes.drawn or changes.moved or changes.clamped))
        raise LeftOut(f"without {name}" if changes.drawn else f"with another {name}")
    return config, changes


def _events(
    result: EarlierResult, config: Config, number: int, search: EarlierSearch, experiment: Experiment
) -> Iterator[Event]:
    """Yield a result as the events of a trial.

    It counts as trained out (completed) only if it stopped itself: all epochs of a shorter search are fewer than all
    epochs of this run.

    Raises:
        LeftOut: It cannot be compared with others at the rungs of this run.
    """
    metric, rungs = experiment.objective.metric, [*experiment.rungs, experiment.max_epochs]
    reports: dict[int, dict[str, float]] = {}
    for epoch, value, metrics in _by_epoch(result, search, rungs):
        further = {name: metrics[name] for name in experiment.needed_metrics if name in metrics}
        if epoch <= experiment.max_epochs and len(further) == len(experiment.needed_metrics):
            reports[epoch] = {metric: value, **further}
    if experiment.needed_metrics and result.objective_by_epoch and not reports:
        raise LeftOut(f"without {', '.join(experiment.needed_metrics)}")
    is_whole = max(result.objective_by_epoch, default=0) == search.max_epochs
    status = Status.STOPPED if result.status is Status.COMPLETED and is_whole else result.status
    if (
        status not in FAILED_STATUSES
        and not set(rungs) & reports.keys()
        and not (status is Status.COMPLETED and reports)
    ):
        raise LeftOut("without an epoch at which this run compares trials")
    yield TrialStarted(time_s=0.0, trial=number, config=config, node="")
    for epoch, values in reports.items():
        yield EpochReported(time_s=0.0, trial=number, epoch=epoch, metrics=values, seconds=0.0)
    yield TrialEnded(time_s=0.0, trial=number, status=status, reason=result.reason, error=None)


def _by_epoch(
    result: EarlierResult, search: EarlierSearch, rungs: Sequence[int]
) -> Iterator[tuple[int, float, Mapping[str, float]]]:
    """Yield the objective by epoch, with the other metrics of the epoch.

    The only value of a result counts at the rung that the result had reached.
    """
    for epoch, value in sorted(result.objective_by_epoch.items()):
        counts_at = epoch
        if not search.has_epochs:
            reached = [rung for rung in rungs if rung <= epoch or epoch == 0]
            counts_at = reached[-1] if reached else epoch
        yield counts_at, value, result.metrics_by_epoch.get(epoch, {})
