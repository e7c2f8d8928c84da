"""A search whose space grows: a trial's own code may ask for parameters that nobody knew before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from search_spaces import SearchSpace
from search_spaces.json_values import identity
from search_spaces.parameters import parameter_from_json
from search_spaces.space import Config
from trainables.report import Met, MetParameter
from tune_jobs.engine.decisions.failures import shortened
from tune_jobs.engine.decisions.reasked_search import ReaskedSearch
from tune_jobs.engine.decisions.running_trials import RunningTrials
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, Noted, ParametersMet
from tune_jobs.results.met_parameters import fitting
from tune_jobs.searchers import Search, Waiting
from tune_jobs.searchers.prior.guided import PriorGuidedSearch
from tune_jobs.searchers.scalarised import ScalarisedSearch

MEETS_PARAMETERS = "MEETS_PARAMETERS"
"""The attribute of a trainable whose trials may ask for parameters that are not in the space."""


class GrowingSearch(Search):
    """A search that begins again when its space has grown, and learns at once what it knew before.

    Args:
        experiment: The experiment, whose space is the one at first.
        sources: The number of the first trial of each source of a warm start: see ``PriorGuidedSearch``.

    Attributes:
        space: The space now.
    """

    def __init__(self, experiment: Experiment, sources: Sequence[int] = ()) -> None:
        self.space = experiment.space
        self._experiment = experiment
        self._sources = sources
        self._search = _started(experiment, experiment.space, sources)
        self._defaults: dict[str, Any] = {}
        self._configs: dict[int, Config] = {}
        self._results: list[Callable[[Search], object]] = []

    def propose(self, trial: int) -> Config | Waiting | None:
        """Return the configuration of a trial."""
        config = self._search.propose(trial)
        if isinstance(config, dict):
            self._configs[trial] = config
        return config

    def remember(self, trial: int, config: Config) -> None:
        """Take in a trial that was tried before. Parameters that were not known then had their defaults."""
        self._configs[trial] = config
        self._search.remember(trial, self._completed(config))

    def report(self, trial: int, epoch: int, loss: float) -> None:
        """Take in a trial's result after an epoch."""
        self._take(lambda search: search.report(trial, epoch, loss))

    def report_all(self, trial: int, epoch: int, losses: Sequence[float]) -> None:
        """Take in a trial's result in several objectives after an epoch."""
        self._take(lambda search: search.report_all(trial, epoch, losses))

    def pause(self, trial: int) -> None:
        """Take in that the scheduler paused a trial."""
        self._take(lambda search: search.pause(trial))

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        """Take in that a trial ended."""
        self._take(lambda search: search.end(trial, failed=failed, trained_out=trained_out))

    @property
    def planned_trials(self) -> int | None:
        """The largest number of trials that there can be in the space now; None if another budget ends the run."""
        limits = (self._experiment.trials, self._experiment.searcher.limit(self.space))
        return min((count for count in limits if count is not None), default=None)

    def problems_with(self, met: Mapping[str, MetParameter]) -> list[str]:
        """Return why the searcher could not search the space with some parameters beside the others."""
        return self._experiment.searcher.space_problems(self._with(met))

    def grow(self, met: Mapping[str, MetParameter], unused: Iterable[int] = ()) -> None:
        """Add parameters to the space, and begin the search again.

        Args:
            met: The parameters by name.
            unused: Proposals that nobody has used: they are forgotten, and made again in the larger space.
        """
        self.space = self._with(met)
        self._defaults |= {name: one["value"] for name, one in met.items()}
        self._search = _started(self._experiment, self.space, self._sources)
        for trial in unused:
            self._configs.pop(trial, None)
        for trial, config in self._configs.items():
            self._search.remember(trial, self._completed(config))
        for result in self._results:
            result(self._search)

    def _with(self, met: Mapping[str, MetParameter]) -> SearchSpace:
        parameters = {name: parameter_from_json(one["parameter"]) for name, one in met.items()}
        return SearchSpace(**self.space.parameters, **parameters)

    def _take(self, result: Callable[[Search], object]) -> None:
        self._results.append(result)
        result(self._search)

    def _completed(self, config: Config) -> Config:
        """Return a configuration with the defaults of parameters that are active in it, and that it did not have."""
        whole = dict(config)
        for name, default in self._defaults.items():
            if name not in whole and self._is_active(name, whole):
                whole[name] = default
        return whole

    def _is_active(self, name: str, config: Config) -> bool:
        known = self.space.parameters
        return all(
            one.parent in config and identity(config[one.parent]) in map(identity, one.accepted(known[one.parent]))
            for one in known[name].conditions
        )


class SpaceGrowth:
    """The growth of a run's space by the parameters that its trials meet.

    Args:
        search: The search of the run.
        trials: The trials that have not ended.
        clock: Returns the time, in Unix time.
        log: Logs an event, before anything learns of it.
    """

    def __init__(
        self,
        search: GrowingSearch,
        trials: RunningTrials,
        clock: Callable[[], float],
        log: Callable[[Event], object],
    ) -> None:
        self._search = search
        self._trials = trials
        self._clock = clock
        self._log = log

    def replay(self, events: Iterable[object]) -> None:
        """Add the parameters that the trials of earlier sessions have met.

        Args:
            events: All events of the run so far.
        """
        for event in events:
            if isinstance(event, ParametersMet):
                known = self._search.space.parameters
                fit, _ = fitting(known, event.parameters)  # one that does not is told as a damage of the journal
                self._grow({name: event.parameters[name] for name in fit.keys() - known.keys()})

    def take(self, trial: int, met: Met) -> None:
        """Take the configuration that a trial has in truth, and search what it met in later trials.

        Args:
            trial: The number of the trial.
            met: What its worker told.
        """
        new = self._new(met["parameters"])
        problems = self._search.problems_with(new) if new else []
        config, taken = dict(met["config"]), {} if problems else new
        self._log(ParametersMet(time_s=self._clock(), trial=trial, config=config, parameters=taken))
        self._trials.by_number[trial].config = config
        named = ", ".join(new)
        if problems:
            self._note(trial, f"its code asked for {named}, which keeps its default: {' '.join(problems)}")
        elif new:
            self._grow(new)
            self._note(trial, f"its code asked for {named}, which the space did not have: later trials search it")

    def _note(self, trial: int, text: str) -> None:
        self._log(Noted(time_s=self._clock(), trial=trial, text=shortened(text, 1000)))

    def _new(self, met: Mapping[str, MetParameter]) -> dict[str, MetParameter]:
        return {name: one for name, one in met.items() if name not in self._search.space.parameters}

    def _grow(self, new: Mapping[str, MetParameter]) -> None:
        if new:
            self._search.grow(new, self._trials.take_back_proposals())
            self._trials.plan(self._search.planned_trials)


def search_of(experiment: Experiment, sources: Sequence[int] = ()) -> Search:
    """Return the search of a run: one that can grow if the trainable's trials may ask for further parameters.

    Args:
        experiment: The experiment.
        sources: The number of the first trial of each source of a warm start; none if there is none.
    """
    if getattr(experiment.trainable, MEETS_PARAMETERS, False):
        return GrowingSearch(experiment, sources)
    search = _started(experiment, experiment.space, sources)
    return ReaskedSearch(search) if experiment.searcher.REASKED else search


def growth_of(
    search: Search, trials: RunningTrials, clock: Callable[[], float], log: Callable[[Event], object]
) -> SpaceGrowth | None:
    """Return the growth of a run's space; None if it cannot grow. See ``SpaceGrowth`` for the arguments."""
    return SpaceGrowth(search, trials, clock, log) if isinstance(search, GrowingSearch) else None


def _started(experiment: Experiment, space: SearchSpace, sources: Sequence[int]) -> Search:
    rungs, max_epochs = experiment.rungs, experiment.max_epochs

    def start() -> Search:
        return experiment.searcher.start(space, seed=experiment.seed, rungs=rungs, max_epochs=max_epochs)

    is_scalarised = len(experiment.objectives) > 1 and experiment.searcher.SCALARISED
    search = ScalarisedSearch(start, experiment.seed) if is_scalarised else start()
    if not sources or experiment.searcher.FORESEEN:  # a foreseen search leaves out what was tried, and learns nothing
        return search
    return PriorGuidedSearch(search, space, seed=experiment.seed, rungs=[*rungs, max_epochs], sources=sources)
