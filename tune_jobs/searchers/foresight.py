"""A searcher that foresees where learning curves end, from trials that were mostly stopped early."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from search_spaces import SearchSpace
from search_spaces.adapters.vectors import Vectors
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem, part_problem
from tune_jobs.searchers.base import MOST_CANDIDATES, Search, Searcher, point_problems, points_problem
from tune_jobs.searchers.curve_results import NO_TRIAL, CurveResults
from tune_jobs.searchers.neighbours import neighbours
from tune_jobs.searchers.tried import TriedConfigs

if TYPE_CHECKING:
    from tune_jobs.searchers.curve_model import CurveModel, Points, Settings  # imports SciPy

_STARTS = 5  # configurations whose neighbours are looked at
_NEIGHBOURS = 10  # of each
_ROUNDS = 3
_NEAR = 8  # neighbours of each start in a round
_BELIEVED = 10  # trials that have not ended, the most promising, that are believed to end as foreseen
_MOST_RESULTS = 300  # that a proposal is made from: its time grows with their cube
_MOST_FITTED = 200  # from which the settings of the kernel are fitted
_FIRST_FIT = 8  # reports
_NEXT_FIT = 1.25  # times as many reports


@dataclass(frozen=True)
class Foresight(Searcher):
    """A searcher that proposes the configuration with the largest expected improvement on the best foreseen end.

    Its model is a Gaussian process over configuration and epoch: it learns from every trial after 1 epoch, after 3, and
    so on, and foresees where all of them, and untried configurations, would end. In this it follows freeze-thaw
    Bayesian optimisation (Swersky, Snoek and Adams 2014), MOBSTER (Klein, Tiao, Lienart, Archambeau and Seeger 2020)
    and DyHPO (Wistuba, Kadra and Grabocka 2022). It departs from them: it sees ranks only, never losses; early and late
    results have noise of their own, so that epochs which say nothing are not believed; it draws at random where
    configurations explain little; and it leaves it to the scheduler which trials go on. A trial that failed counts as
    worse than all others. Nothing is tried twice.

    Args:
        points: Configurations to try first.
        startup_trials: Number of trials that are drawn at random before there is a model.
        candidates: Number of draws from the space at which the improvement is computed. A search among the neighbours
            of the most promising ones follows.
        random_part: The least part of the later trials that are drawn at random all the same, in [0, 1): a hedge
            against a model that is wrong (Falkner, Klein and Hutter 2018, "BOHB"). More are drawn, the less of the
            results the model can explain by configurations.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from search_spaces import Float, SearchSpace
        >>> from tune_jobs.searchers import Foresight
        >>> space = SearchSpace(learning_rate=Float(1e-4, 1e-1, log=True))
        >>> searcher = Foresight(points=[{"learning_rate": 0.001}])
        >>> search = searcher.start(space, seed=0, rungs=(1, 3, 9), max_epochs=10)
        >>> search.propose(0)
        {'learning_rate': 0.001}
        >>> space.contains(search.propose(1))
        True
    """

    NAME: ClassVar[str] = "foresight"
    SCALARISED: ClassVar[bool] = True

    points: Sequence[Config] = ()
    startup_trials: int = 5
    candidates: int = 200
    random_part: float = 0.1

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        problems = [
            points_problem(self.points),
            count_problem("startup_trials", self.startup_trials),
            count_problem("candidates", self.candidates, most=MOST_CANDIDATES),
            part_problem("random_part", self.random_part),
        ]
        return [problem for problem in problems if problem]

    def space_problems(self, space: SearchSpace) -> list[str]:
        """Return why points are not in the space."""
        return point_problems(self.points, space)

    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Return the search of a new run."""
        return _ForesightSearch(self, space, seed, CurveResults(rungs, max_epochs))


class _ForesightSearch(Search):
    def __init__(self, searcher: Foresight, space: SearchSpace, seed: int, results: CurveResults) -> None:
        self._searcher = searcher
        self._space = space
        self._seed = seed
        self._results = results
        self._vectors = Vectors(space)
        self._configs: dict[int, Config] = {}
        self._pending: set[int] = set()  # trials that had no result when they were looked at last
        self._rows: dict[int, NDArray[np.float64]] = {}
        self._tried = TriedConfigs(space)
        self._next_fit = _FIRST_FIT
        self._to_fit: tuple[Points, NDArray[np.float64]] | None = None
        self._settings: Settings | None = None

    def propose(self, trial: int) -> Config | None:
        rng = np.random.default_rng([self._seed, trial, RandomStream.FORESIGHT])
        points = self._searcher.points[trial : trial + 1]
        config = self._tried.first_untried(points) if points and points[0] not in self._tried else None
        config = config or self._tried.first_untried(self._wanted(rng))
        if config is not None:
            self.remember(trial, config)
        return config

    def remember(self, trial: int, config: Config) -> None:
        if self._space.contains(config):  # a run that was forced to go on in another space has some that are not
            self._configs[trial] = config
            self._pending.add(trial)
            (self._rows[trial],) = self._vectors.embed([config])
            self._tried.add(config)

    def report(self, trial: int, epoch: int, loss: float) -> None:
        self._results.report(trial, epoch, loss)
        if self._results.reports >= self._next_fit and self._vectors.width and (known := self._known()):
            # The settings depend on the results of this moment only, not on the next proposal: a run that is resumed
            # hears the same reports, and proposes the same.
            self._to_fit = self._points(known, _MOST_FITTED)
            self._next_fit = int(self._results.reports * _NEXT_FIT) + 1

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:
        self._results.end(trial, failed=failed, trained_out=trained_out)

    def _known(self) -> list[int]:
        return [trial for trial in self._results.known() if trial in self._configs]

    def _wanted(self, rng: np.random.Generator) -> Iterable[Config]:
        """Return configurations, the most wanted first."""
        drawn = (self._space.sample(rng) for _ in range(self._searcher.candidates))
        known = self._known()
        if len(known) < self._searcher.startup_trials or not self._vectors.width:
            return drawn
        draws = list(drawn)
        from tune_jobs.searchers.curve_model import one_thread

        with one_thread():
            settings = self._newest_settings()
            # Curves that stay flat, then fall, hide from early results what is good. Then trials with like
            # configurations differ, and the model would only follow those that happened to fall first.
            random_part = max(self._searcher.random_part, 1 - settings.explained**2)
            return draws if rng.random() < random_part else self._promising(known, settings, draws, rng)

    def _newest_settings(self) -> Settings:
        from tune_jobs.searchers.curve_model import expected_settings, fitted_settings

        if self._settings is None:
            self._settings = expected_settings(self._vectors.owners, self._results.levels)
        if self._to_fit is not None:
            start = expected_settings(self._vectors.owners, self._results.levels)
            self._settings = fitted_settings(*self._to_fit, start)
            self._to_fit = None
        return self._settings

    def _promising(
        self, known: list[int], settings: Settings, draws: list[Config], rng: np.random.Generator
    ) -> list[Config]:
        """Return configurations, those with the largest expected improvements first.

        Args:
            known: The trials that have results.
            settings: The settings of the model.
            draws: Configurations that were drawn at random.
            rng: The generator to draw from.
        """
        model, best, starts = self._model(known, settings)
        pool = [*draws, *self._around([self._configs[trial] for trial in starts], _NEIGHBOURS, rng)]
        values = self._improvements(model, pool, best)
        for _ in range(_ROUNDS):
            near = self._around([pool[index] for index in np.argsort(-values, kind="stable")[:_STARTS]], _NEAR, rng)
            pool += near
            values = np.concatenate([values, self._improvements(model, near, best)])
        return [pool[index] for index in np.argsort(-values, kind="stable")]

    def _around(self, configs: Sequence[Config], count: int, rng: np.random.Generator) -> list[Config]:
        return [near for config in configs for near in neighbours(self._space, config, count, rng)]

    def _improvements(self, model: CurveModel, configs: list[Config], best: float) -> NDArray[np.float64]:
        from tune_jobs.searchers.curve_model import expected_improvement

        ends = self._ends(self._vectors.embed(configs), np.full(len(configs), NO_TRIAL))
        return expected_improvement(*model.predict(ends), best) if configs else np.empty(0)

    def _model(self, known: list[int], settings: Settings) -> tuple[CurveModel, float, list[int]]:
        """Return the model, the best foreseen end, and the trials with the best foreseen ends.

        Trials that have not ended are believed to end as foreseen, so that little improvement is expected near them
        ("kriging believer": Ginsbourger, Le Riche and Carraro 2010, section 4.2).
        """
        from tune_jobs.searchers.curve_model import CurveModel

        points, scores = self._points(known, _MOST_RESULTS)
        model = CurveModel(points, scores, settings)
        self._pending = {trial for trial in self._pending if not self._results.is_known(trial)}
        known = sorted(set(points.trials.tolist()))  # else a proposal would look at all trials of a long run
        foreseen = model.means(self._ends(np.array([self._rows[trial] for trial in known]), np.array(known)))
        order = [int(index) for index in np.argsort(foreseen, kind="stable")]
        sound = [index for index in order if not self._results.has_failed(known[index])] or order
        best = float(foreseen[sound[0]])
        live = [known[index] for index in order if not self._results.has_ended(known[index])][:_BELIEVED]
        believed = [*live, *sorted(self._pending)]
        if believed:
            model = model.believing(self._ends(np.array([self._rows[trial] for trial in believed]), np.array(believed)))
        return model, best, [known[index] for index in sound[:_STARTS]]

    def _points(self, known: list[int], most: int) -> tuple[Points, NDArray[np.float64]]:
        from tune_jobs.searchers.curve_model import Points

        results = self._results.results(known).preferred(most, self._seed)
        rows = np.array([self._rows[trial] for trial in results.trials.tolist()])
        return Points(rows, self._results.times(results.epochs), results.trials, results.levels), results.scores

    def _ends(self, rows: NDArray[np.float64], trials: NDArray[np.intp]) -> Points:
        from tune_jobs.searchers.curve_model import Points

        last = np.full(len(rows), self._results.levels - 1)
        return Points(rows, np.ones(len(rows)), trials, last)
