"""Population based training: the worst trials go on with the weights of the best, and with other configurations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from search_spaces import SearchSpace, Slot
from search_spaces.adapters.vectors import is_number, number_at, position_of
from search_spaces.messages import short_repr
from search_spaces.parameters import Float, Int
from search_spaces.space import Config
from trainables.random_streams import RandomStream
from tune_jobs.base.rules import count_problem
from tune_jobs.schedulers.base import Pause, Promotion, Schedule, Scheduler

_FACTOR = 1.25
_SHARE_OF_RANGE = 0.1


@dataclass(frozen=True)
class PopulationBased(Scheduler):
    """A scheduler that trains a population side by side: the worst part takes over the weights of the best part.

    This is population based training: Jaderberg, Dalibard, Osindero and others, "Population Based Training of Neural
    Networks" (2017). The trials of the experiment are the population; all of them are trained to ``max_epochs``. Every
    ``interval`` epochs each trial waits until all have come so far. Then the worst ``quantile`` of them takes over
    weights, optimizer state and history of trials of the best ``quantile`` (the paper's truncation selection), and each
    explores: its configuration is that of its donor, with each of ``parameters`` changed a little, or drawn anew. So
    what is found is a schedule of configurations, not one.

    A trial is ranked by its best epoch since it last took over weights.

    It departs from the paper in that trials wait for each other. So the same seed has the same result, however many
    trials run side by side and however often the run is interrupted. A trial that diverges ends, and the population is
    smaller by one.

    A changed number is a tenth of its range further up or down, in a logarithmic range 1.25 times larger or smaller,
    and at least a step further if it has steps. It never leaves its range. A changed category is drawn anew. Parameters
    that become active by a change are drawn.

    Args:
        interval: Number of epochs between two comparisons.
        quantile: Part of the trials that is replaced, and part that is copied: more than 0, and at most 0.5.
        resample: Probability with which a parameter is drawn anew, and not changed a little.
        parameters: Names of the parameters that are explored. Empty: all that are declared as ``Float``. A change must
            leave the shapes of the weights as they are, so that numbers of layers or units cannot be explored.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from search_spaces import Float, SearchSpace
        >>> from tune_jobs.schedulers import PopulationBased
        >>> space = SearchSpace(learning_rate=Float(1e-4, 1e-1, log=True))
        >>> schedule = PopulationBased(interval=2, resample=0.0).start_for(space, trials=2, max_epochs=4, seed=0)
        >>> for trial, rate in enumerate([0.01, 0.001]):
        ...     schedule.add(trial, {"learning_rate": rate})
        >>> schedule.report(trial=0, epoch=2, loss=0.3)
        Pause(reason='epoch 2: waits for the other trials')
        >>> schedule.next_promotion(last=False) is None
        True
        >>> pause = schedule.report(trial=1, epoch=2, loss=0.5)
        >>> promotion = schedule.next_promotion(last=False)
        >>> promotion.trial, promotion.donor, round(promotion.config["learning_rate"], 6)
        (1, 0, 0.008)
    """

    NAME: ClassVar[str] = "population"
    PAUSES: ClassVar[bool] = True
    CHANGES_CONFIGS: ClassVar[bool] = True

    interval: int = 3
    quantile: float = 0.25
    resample: float = 0.25
    parameters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.parameters, list):  # as JSON has it
            object.__setattr__(self, "parameters", tuple(self.parameters))
        super().__post_init__()

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        problems = [count_problem("interval", self.interval)]
        if not _is_between(self.quantile, 0.0, 0.5) or self.quantile == 0:
            problems.append(f"The value of `quantile` is {short_repr(self.quantile)}, but must be in (0, 0.5].")
        if not _is_between(self.resample, 0.0, 1.0):
            problems.append(f"The value of `resample` is {short_repr(self.resample)}, but must be in [0, 1].")
        if not isinstance(self.parameters, tuple) or not all(isinstance(name, str) for name in self.parameters):
            problems.append(
                f"The value of `parameters` is {short_repr(self.parameters)}, but must be a tuple of parameters' names."
            )
        return [problem for problem in problems if problem]

    def fitting_problems(self, space: SearchSpace, trials: int | None, max_epochs: int) -> list[str]:
        """Return why it cannot schedule the trials of an experiment; nothing if it can."""
        problems = []
        if max_epochs > 1 and self.interval >= max_epochs:
            problems.append(
                f"The value of `interval` is {self.interval}, but must be < max_epochs ({max_epochs}): "
                "no trial could ever take over another one's weights. Lower it, or choose NoScheduler()."
            )
        if trials is None or trials < 2:
            problems.append(
                f"The experiment has trials={trials}, but PopulationBased needs a population of 2 or more: set trials."
            )
        unknown = [name for name in self.parameters if name not in space.parameters]
        if unknown:
            known = ", ".join(space.parameters)
            problems.append(f"The value of `parameters` has {', '.join(unknown)}, but the space has only {known}.")
        elif not any(_can_change(slot, self.parameters) for slot in space.slots()):
            problems.append(
                "No parameter can be explored: name some in `parameters` that leave the shapes of the weights as they "
                "are, or declare one as a Float."
            )
        return problems

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return the multiples of ``interval`` below ``max_epochs``."""
        return tuple(range(self.interval, max_epochs, self.interval))

    def start(self, max_epochs: int, seed: int) -> Schedule:
        """Return the schedule of two trials that share one parameter; a run calls ``start_for``."""
        return self.start_for(SearchSpace(parameter=Float(0.0, 1.0)), 2, max_epochs, seed)

    def start_for(self, space: SearchSpace, trials: int | None, max_epochs: int, seed: int) -> Schedule:
        """Return the schedule of a new run."""
        return _PopulationSchedule(self, space, trials or 2, self.rungs(max_epochs), seed)


class _PopulationSchedule(Schedule):
    def __init__(
        self, declared: PopulationBased, space: SearchSpace, size: int, rungs: Sequence[int], seed: int
    ) -> None:
        self._declared = declared
        self._space = space
        self._size = size
        self._seed = seed
        self._losses: dict[int, dict[int, float]] = {rung: {} for rung in rungs}  # by trial; infinite: passed it by
        self._configs: dict[int, Config] = {}
        self._paused: dict[int, int] = {}  # the rung of each paused trial
        self._ended: set[int] = set()

    def add(self, trial: int, config: Config) -> None:
        self._configs[trial] = dict(config)

    def report(self, trial: int, epoch: int, loss: float) -> Pause | None:
        for rung, losses in self._losses.items():
            if rung < epoch:  # a trial whose objective had no value there did not stop, and nobody waits for it
                losses.setdefault(trial, math.inf)
        if epoch not in self._losses:
            return None
        self._losses[epoch][trial] = loss
        self._paused[trial] = epoch
        return Pause(f"epoch {epoch}: waits for the other trials")

    def next_promotion(self, *, last: bool) -> Promotion | None:
        for rung in sorted(set(self._paused.values())):
            losses = self._losses[rung]
            if not last and len(losses) + len(self._ended - losses.keys()) < self._size:
                continue
            ranked = sorted((loss, trial) for trial, loss in losses.items() if math.isfinite(loss))
            order = [trial for _, trial in ranked]
            replaced = max(1, int(self._declared.quantile * len(order))) if len(order) > 1 else 0
            # Those that take over weights come first, so that the donors have not gone on yet.
            for trial in (*order[len(order) - replaced :], *order[: len(order) - replaced]):
                if self._paused.get(trial) == rung:
                    return self._decision(trial, rung, order, replaced)
        return None

    def promote(self, trial: int) -> None:
        self._paused.pop(trial, None)

    def end(self, trial: int) -> None:
        self._paused.pop(trial, None)
        self._ended.add(trial)

    def _decision(self, trial: int, rung: int, order: Sequence[int], replaced: int) -> Promotion:
        place = order.index(trial) + 1
        stands = f"epoch {rung}: place {place} of {len(order)}"
        if place <= len(order) - replaced:
            return Promotion(trial, f"{stands}, goes on")
        rng = np.random.default_rng([self._seed, trial, RandomStream.POPULATION, rung])
        donor = order[int(rng.integers(replaced))]
        config = explored(self._space, self._configs[donor], self._declared, rng)
        return Promotion(trial, f"{stands}, goes on with the weights of trial {donor}", donor, config)


def explored(space: SearchSpace, config: Config, declared: PopulationBased, rng: np.random.Generator) -> Config:
    """Return a configuration of the space near another one.

    Args:
        space: A valid space.
        config: One of its configurations.
        declared: Says what is explored, and how often a value is drawn anew.
        rng: The generator to draw from.
    """
    values = space.flatten(config)

    def choose(slot: Slot) -> Any:
        if slot.label not in values:
            return slot.parameter.sample(rng)
        if not _can_change(slot, declared.parameters):
            return values[slot.label]
        is_resampled = rng.random() < declared.resample or not is_number(slot.parameter)
        new = (
            slot.parameter.sample(rng)
            if is_resampled
            else _shifted(slot.parameter, values[slot.label], upwards=bool(rng.integers(2)))
        )
        # Many models leave out a layer where a number is zero, a dropout for example: then the weights would not fit.
        has_other_layers = is_number(slot.parameter) and (new == 0) != (values[slot.label] == 0)
        return values[slot.label] if has_other_layers else new

    return space.assemble(choose)


def _can_change(slot: Slot, parameters: Sequence[str]) -> bool:
    is_chosen = slot.name in parameters if parameters else isinstance(slot.parameter, Float)
    return is_chosen and slot.parameter.size != 1


def _shifted(parameter: Any, value: Any, *, upwards: bool) -> Any:
    """Return a number a little above or below a number, within its range and on its steps."""
    share = _SHARE_OF_RANGE
    if isinstance(parameter, Int | Float) and parameter.log:
        share = math.log(_FACTOR) / math.log(parameter.upper / parameter.lower)
    if parameter.size is not None:
        share = max(share, 1 / (parameter.size - 1))
    return number_at(parameter, position_of(parameter, value) + (share if upwards else -share))


def _is_between(value: object, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
