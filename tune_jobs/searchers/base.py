"""The interface of searchers: a frozen declaration, and its work in one run.

A searcher has two classes. A subclass of ``Searcher`` is what users declare: a frozen dataclass of settings. Its
``start`` returns an object of a subclass of ``Search``, which proposes the configurations of one run.

The coordinator of the run is the only caller. It calls all methods in the driver process, one at a time; the workers
that train never see a searcher. The order of the calls is the same when a run is resumed:

1. ``start``, once.
2. If it is ``FORESEEN``: ``remember``, ``report`` and ``end`` for the results of a warm start, under the numbers -1,
   -2, … Other searchers do not hear of them: see ``tune_jobs.searchers.prior.guided``.
3. If the run is resumed: ``remember`` for each trial that had started, in the order of their numbers. Trials that had
   been proposed but not started are proposed again, each in its turn. Then ``report``, ``pause`` and ``end``, in the
   order in which they were called the first time. A searcher with ``REASKED`` hears ``propose`` instead of
   ``remember``, each in its old place among the reports and ends.
4. ``propose`` whenever there is room for another trial, ``report`` after each epoch of a trial, ``pause`` when a
   scheduler pauses it, and ``end`` when the trial has ended. Trials run side by side, so that the calls for several
   trials alternate.

A proposal must depend on nothing but the seed, the trial's number and the earlier calls: then a resumed run goes on as
if it had not been interrupted. Draw from ``np.random.default_rng([seed, trial, stream])``, with a number of your own in
``trainables.random_streams``, never from a global state. No searcher is saved or restored: the journal has all that
a search was told, and resuming tells it again.

``tune_jobs.testing.check_searcher`` tests all of this for a searcher of your own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from importlib import import_module
from itertools import islice
from typing import Any, ClassVar, Final

from search_spaces import SearchSpace
from search_spaces.checked import Checked
from search_spaces.messages import short_repr
from search_spaces.space import Config
from tune_jobs.base.rules import MAX_EPOCHS_FOR_RAY


class Waiting(Enum):
    """The type of ``WAIT``: neither a configuration nor the end of them."""

    WAIT = "nothing now: ask again when a trial has reported or ended"


WAIT: Final = Waiting.WAIT
"""The answer of ``Search.propose`` when the next configuration depends on trials that have not ended."""


def number_of_other_run(index: int) -> int:
    """Return the number of another run's trial, as a searcher hears it: -1, -2, and so on for the indices 0, 1."""
    return -1 - index


def is_of_other_run(trial: int) -> bool:
    """Return whether a trial that a searcher knows by this number is one of another run."""
    return trial < 0


class Search(ABC):
    """A searcher at work in one run; it keeps what it has learned from the trials.

    It gets losses: less is better, also where the objective is maximised.
    """

    @abstractmethod
    def propose(self, trial: int) -> Config | Waiting | None:
        """Return the configuration of a trial.

        The coordinator does not call ``remember`` for a trial that this method has proposed, unless the searcher is
        ``REASKED`` and its answer is not what it was before the run was resumed. With a warm start, it calls
        ``remember`` instead of this method for some trials.

        Args:
            trial: The trial's number: 0, 1, 2, … in this order (a warm start leaves gaps), and the same number again if
                the answer was no configuration. In a resumed run, a number may come after larger ones were remembered.

        Returns:
            A configuration of the space. None if nothing is left to try: the run ends with the last running trial. WAIT
            if the configuration depends on trials that have not ended: the coordinator asks again after the next report
            or end. If no trial is left to end, WAIT ends the run, as None does.
        """

    @abstractmethod
    def remember(self, trial: int, config: Config) -> None:
        """Take in a trial that was tried before this object began to propose.

        Args:
            trial: The trial's number. 0, 1, 2, …: a trial of this run, proposed before it was resumed, or by a warm
                start. -1, -2, …: a trial of another run. A searcher that repeats nothing does not propose its
                configuration again.
            config: The trial's configuration. If the user forced the run to go on in another space, it may lie outside
                the space.
        """

    def report(self, trial: int, epoch: int, loss: float) -> None:  # noqa: B027 - most searchers learn nothing
        """Take in a trial's result after an epoch.

        Args:
            trial: The trial's number.
            epoch: The number of epochs that the trial was trained for, from 1.
            loss: The trial's best loss up to this epoch; it is finite. Epochs before the objective has its first
                finite value are not reported, nor is one that diverged. An epoch without a value after that is
                reported with the best loss so far.
        """

    def report_all(self, trial: int, epoch: int, losses: Sequence[float]) -> None:
        """Take in a trial's result in several objectives, in an experiment that has them, in place of ``report``.

        Unless a searcher overrides it, it hears of the first objective only.

        Args:
            trial: The trial's number.
            epoch: The number of epochs that the trial was trained for, from 1.
            losses: The losses in all objectives at the epoch with the best first one. If that epoch breaks a
                constraint, all are ``tune_jobs.base.objective.PENALTY`` or more: worse than any that keeps them.
        """
        self.report(trial, epoch, losses[0])

    def pause(self, trial: int) -> None:  # noqa: B027 - most searchers learn nothing
        """Take in that the scheduler paused a trial: unless it is promoted later, it has its last result for ever.

        Args:
            trial: The trial's number. If it is promoted, ``report`` is called again for it.
        """

    def end(self, trial: int, *, failed: bool, trained_out: bool) -> None:  # noqa: B027 - most searchers learn nothing
        """Take in that a trial ended.

        Args:
            trial: The trial's number.
            failed: True if it raised an error, diverged, was killed, or ended without any finite value of the
                objective: the worst result of a configuration.
            trained_out: True if it had all its epochs, or stopped itself: it would not have become better. False if the
                scheduler stopped it.
        """


class Searcher(Checked):
    """A searcher as users declare it: a frozen dataclass that checks itself.

    Its class must be callable with the fields of ``to_json`` (without ``kind``). One that ``--searcher`` can choose is
    listed in ``tune_jobs.searchers.SEARCHERS``, and must be callable without any field.

    Attributes:
        NAME: The searcher's name on the command line and in a run's folder.
        WARM: True if some of its trials may be proposed by a warm start: it then learns from these as from its own.
        FORESEEN: True if its proposals do not depend on results, so that the coordinator can ask for them in advance. A
            subclass that learns from reports must leave it False.
        SCALARISED: True if, in an experiment with several objectives, each proposal may be made by a new search that
            hears all results again, weighed in another way: see ``searchers.scalarised``. False: the search hears of
            the first objective only, unless it overrides ``report_all``.
        REASKED: True if the search has a state that only its own proposals make: a generator that goes on from draw to
            draw, or a library that keeps what it has proposed. A resumed run then asks it for every proposal again, in
            the same order among the reports and ends, which takes the time of the proposals again. False if it can go
            on from what ``remember``, ``report`` and ``end`` tell.

    Raises:
        InvalidDeclaration: ``problems`` returns at least one mistake.

    Example:
        >>> from dataclasses import dataclass
        >>> from search_spaces import Choice, SearchSpace
        >>> from tune_jobs.searchers import Search, Searcher
        >>> class BackwardSearch(Search):
        ...     def __init__(self, configs):
        ...         self.configs = configs
        ...     def propose(self, trial):
        ...         return self.configs[trial] if trial < len(self.configs) else None
        ...     def remember(self, trial, config):
        ...         pass  # its proposals depend on the number only
        >>> @dataclass(frozen=True)
        ... class Backward(Searcher):
        ...     NAME = "backward"
        ...     WARM = False
        ...     FORESEEN = True
        ...     def problems(self):
        ...         return []
        ...     def start(self, space, *, seed, rungs, max_epochs):
        ...         return BackwardSearch(list(space.grid())[::-1])
        >>> search = Backward().start(SearchSpace(units=Choice(32, 64)), seed=0, rungs=(), max_epochs=10)
        >>> [search.propose(trial) for trial in range(3)]
        [{'units': 64}, {'units': 32}, None]
    """

    NAME: ClassVar[str]
    WARM: ClassVar[bool] = True
    FORESEEN: ClassVar[bool] = False
    SCALARISED: ClassVar[bool] = False
    REASKED: ClassVar[bool] = False

    @abstractmethod
    def start(self, space: SearchSpace, *, seed: int, rungs: Sequence[int], max_epochs: int) -> Search:
        """Return the search of a new run.

        Args:
            space: A valid space, for which ``space_problems`` returned nothing.
            seed: The seed of the proposals.
            rungs: The epochs after which the scheduler compares trials, ascending, all below ``max_epochs``.
            max_epochs: The number of epochs of a trial that nothing stops.
        """

    def space_problems(self, space: SearchSpace) -> list[str]:  # noqa: ARG002 - for subclasses
        """Return why it cannot search a space; nothing if it can.

        Args:
            space: A valid space.
        """
        return []

    def notes(self, space: SearchSpace) -> list[str]:  # noqa: ARG002 - for subclasses
        """Return sentences for the user about what it does otherwise than expected in a space; a run notes them.

        Args:
            space: A valid space, for which ``space_problems`` returned nothing.
        """
        return []

    def limit(self, space: SearchSpace) -> int | None:
        """Return the largest number of configurations that it proposes; None if it has no end.

        An experiment whose searcher has no end needs another budget.

        Args:
            space: A valid space.
        """
        return space.size if isinstance(space.size, int) else None

    def for_ray(
        self, space: SearchSpace, *, scheduler: Any = None, max_epochs: int = MAX_EPOCHS_FOR_RAY, seed: int = 0
    ) -> Any:
        """Return this searcher for ``ray.tune.TuneConfig(search_alg=…)``.

        Args:
            space: The space. Give ``space.for_ray()`` to the ``Tuner`` as ``param_space``.
            scheduler: The scheduler of this project that is used; None: ``ASHA()``. The searcher judges trials at its
                rungs.
            max_epochs: The number of reports of a trial that nothing stops.
            seed: The seed of the proposals.

        Raises:
            RequestError: The searcher cannot search the space.

        Example:
            >>> from search_spaces import Float, SearchSpace
            >>> from tune_jobs import Random
            >>> search = Random().for_ray(SearchSpace(x=Float(0.0, 1.0)))
            >>> sorted(search.suggest("a trial"))
            ['x']
        """
        # By their names: schedulers and what Ray needs stand above searchers, and only plain Ray Tune needs them.
        scheduler = scheduler or import_module("tune_jobs.schedulers").ASHA()
        module = import_module("tune_jobs.plain_ray.search")
        return module.SearchForRay(self, space, scheduler, max_epochs=max_epochs, seed=seed)

    def to_json(self) -> dict[str, Any]:
        """Return the declaration as JSON: ``kind``, which is ``NAME``, and the fields by name."""
        return {"kind": self.NAME, **asdict(self)}  # type: ignore[call-overload]

    def restored(self, settings: Mapping[str, Any]) -> Searcher:
        """Return the searcher that a run was begun with.

        It is called on what the experiment's file declares today, if that is of the run's kind.

        Args:
            settings: What ``to_json`` returned then, without ``kind``.

        Raises:
            TypeError: The settings are not those of this class.
        """
        return type(self)(**settings)


_MOST_TOLD = 50
MOST_POINTS = 10_000
"""Largest number of configurations to try first. Each is checked before the run begins."""

MOST_CANDIDATES = 100_000
"""Largest number of draws for one proposal. More would be silent for minutes before each trial."""


def points_problem(points: object) -> str | None:
    """Return why a value is not a list of configurations; None if it is one."""
    if isinstance(points, list | tuple) and len(points) > MOST_POINTS:
        return f"The value of `points` has {len(points):,} configurations, but must have at most {MOST_POINTS:,}."
    if isinstance(points, list | tuple) and all(isinstance(point, dict) for point in points):
        return None
    return f"The value of `points` is {short_repr(points)}, but must be a list of configurations (dictionaries)."


def point_problems(points: Sequence[Config], space: SearchSpace) -> list[str]:
    """Return why configurations that a user wants to be tried first are not in the space."""
    problems = (f"points[{index}]: {reason}" for index, point in enumerate(points) for reason in space.validate(point))
    return list(islice(problems, _MOST_TOLD))
