"""The declaration of an experiment: the trainable, the space, the objective, the way to search, and the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np

from search_spaces import SearchSpace, from_ray
from search_spaces.checked import Checked, InvalidDeclaration
from search_spaces.messages import short_repr
from trainables.constraints.constraint import Constraint
from trainables.constraints.measures import MEASURES
from tune_jobs.base.constraints import constrained, constraint_problems, divided, needed_metrics, objectives_problems
from tune_jobs.base.objective import Objective
from tune_jobs.base.rules import count_problem, positive_problem
from tune_jobs.experiment.resources import OnOom, Resources
from tune_jobs.experiment.together import together_problems
from tune_jobs.experiment.trainable_problems import trainable_problems
from tune_jobs.schedulers import ASHA, Scheduler
from tune_jobs.searchers import AUTO, Searcher, automatic_searcher

Keep: TypeAlias = int | Literal["all", "none"]

_EXAMPLES = 20  # configurations for which constraints are tried before the run begins


@dataclass(frozen=True)
class Experiment(Checked):
    """A frozen declaration of what to train, what to search, and for how long. It is checked as a whole.

    Attributes:
        trainable: A subclass of KerasTrainable: the class, not an instance.
        space: A SearchSpace, or a dictionary of ``ray.tune.uniform`` and similar domains. Leave it out if the trainable
            has one: see ``KerasTrainable.from_hypermodel``.
        objective: The metric to optimise, and its direction.
        searcher: The searcher, which proposes configurations. "auto", as without one: ``Foresight()``.
        scheduler: The scheduler, which stops trials early.
        max_epochs: The number of epochs after which a trial has been trained completely.
        trials: The largest number of trials; None: as many as the searcher and the other budgets allow.
        time_budget_s: The seconds after which the run ends; None: no limit.
        total_epochs: The number of epochs of all trials together after which the run ends; None: no limit.
        executions: The number of times that each configuration is trained, each with another seed. A trial is judged by
            the mean of its executions.
        fraction: The part of the training and validation examples to use, in (0, 1]. Each class keeps its share, and
            all runs with one fraction use the same examples.
        resources: The resources of a trial.
        max_concurrent_trials: The largest number of trials that run at the same time; None: as many as fit the machine.
        on_oom: What happens to a trial that runs out of its share of a GPU's memory. "fail": it fails. "grow": it is
            tried again with twice the share, at most a whole GPU. With ``gpus="auto"`` trials always grow.
        seed: The seed of everything random: proposals, weights, order of examples.
        checkpoint_every_s: The seconds between two checkpoints of a trial, beside those at rungs and at its end.
        max_retries: The number of times that a trial is continued after its worker died.
        same_failures: The number of trials in a row that end the run if all of them failed with the same error.
        trial_timeout_s: The seconds without a finished epoch after which a trial counts as hanging, and fails; None:
            no limit.
        keep: The number of trials, the best ones, that keep their weights after their end; or "all", or "none".
        objectives: Several objectives, in place of ``objective``, which is the first of them.
        constraints: Comparisons that a trial must keep, such as ``"parameters <= 1e5"`` or ``"units * layers < 512"``.
        together: The number of trials that train together in one worker, on JAX. Each worker has the resources of one
            trial, and ``max_concurrent_trials`` counts trials.

    Raises:
        InvalidDeclaration: A part is wrong; all mistakes are listed.

    Example:
        >>> from search_spaces import Float, SearchSpace
        >>> from trainables.examples.digits_mlp import DigitsMlp
        >>> from tune_jobs import Experiment, Objective
        >>> experiment = Experiment(
        ...     trainable=DigitsMlp,
        ...     space=SearchSpace(learning_rate=Float(1e-3, 1e-1, log=True)),
        ...     objective=Objective("val_accuracy", "max"),
        ...     max_epochs=27,
        ...     trials=30,
        ... )
        >>> experiment.rungs, experiment.planned_epochs
        ((1, 3, 9), 810)
        >>> experiment.override(trials=0)
        Traceback (most recent call last):
        search_spaces.checked.InvalidDeclaration: The value of `trials` is 0, but must be a whole number >= 1.
    """

    # Every field has a row in tune_jobs.experiment.fields: resuming, describing and comparing runs go by it.
    trainable: type[Any]
    space: SearchSpace = None  # type: ignore[assignment]  # then it is that of the trainable
    objective: Objective = None  # type: ignore[assignment]  # there must be one: problems() tells
    searcher: Searcher = field(default_factory=automatic_searcher)  # "auto" is the same
    scheduler: Scheduler = field(default_factory=ASHA)
    max_epochs: int = 10
    trials: int | None = None
    time_budget_s: float | None = None
    total_epochs: int | None = None
    executions: int = 1
    fraction: float = 1.0
    resources: Resources = field(default_factory=Resources)
    max_concurrent_trials: int | None = None
    on_oom: OnOom = "fail"
    seed: int = 0
    checkpoint_every_s: float = 60.0
    max_retries: int = 3
    same_failures: int = 5
    trial_timeout_s: float | None = None
    keep: Keep = 10
    objectives: Sequence[Objective] = ()
    constraints: Sequence[str] = ()
    together: int = 1

    def __post_init__(self) -> None:
        for name in ("objectives", "constraints"):
            if isinstance(given := getattr(self, name), list):
                object.__setattr__(self, name, tuple(given))
        if self.objective is None and isinstance(self.objectives, tuple) and self.objectives:
            object.__setattr__(self, "objective", self.objectives[0])
        if self.space is None and isinstance(own := getattr(self.trainable, "space", None), SearchSpace):
            object.__setattr__(self, "space", own)
        if isinstance(self.searcher, str) and self.searcher == AUTO:
            object.__setattr__(self, "searcher", automatic_searcher())
        if isinstance(self.space, Mapping):
            with suppress(InvalidDeclaration):  # problems() lists the mistake with all others
                object.__setattr__(self, "space", from_ray(self.space))
        super().__post_init__()

    def problems(self) -> list[str]:
        """Return all that is wrong with the experiment, a sentence each, which begins with the part that is wrong."""
        return [
            *trainable_problems(self.trainable),
            *_named("space", _space_problems(self.space)),
            *_named("objective", _part_problems(self.objective, Objective)),
            *_named("searcher", _part_problems(self.searcher, Searcher)),
            *_named("scheduler", _part_problems(self.scheduler, Scheduler)),
            *_named("resources", _part_problems(self.resources, Resources)),
            *self._goal_problems(),
            *self._budget_problems(),
            *self._fitting_problems(),
            *together_problems(self.together, self.trainable, self.resources, self.on_oom),
        ]

    def override(self, /, **fields: Any) -> Experiment:
        """Return the experiment with some fields replaced, checked again.

        Args:
            fields: The new values by name. A field that is None keeps its value.

        Raises:
            InvalidDeclaration: A part is wrong; all mistakes are listed.
        """
        return replace(self, **{name: value for name, value in fields.items() if value is not None})

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs after which the scheduler compares trials."""
        return self.scheduler.rungs(self.max_epochs)

    @property
    def planned_trials(self) -> int | None:
        """The largest number of trials that there can be; None if another budget ends the run."""
        limit = self.searcher.limit(self.space)
        return min((count for count in (self.trials, limit) if count is not None), default=None)

    @property
    def planned_epochs(self) -> int | None:
        """The largest number of epochs that all trials together can have; None if only the time ends the run."""
        trials = self.planned_trials
        bounds = [self.total_epochs, None if trials is None else trials * self.max_epochs]
        return min((bound for bound in bounds if bound is not None), default=None)

    @cached_property
    def goal(self) -> Objective:
        """The first objective, with the constraints on what trials measure."""
        return constrained(self.objective, self.constraints, self.space.parameters)

    @cached_property
    def needed_metrics(self) -> tuple[str, ...]:
        """The metrics that every epoch must report beside the objective."""
        return needed_metrics(self.objectives, self.goal.constraints)

    @cached_property
    def required_metrics(self) -> frozenset[str]:
        """The metrics that every epoch must report."""
        return frozenset((self.objective.metric, *self.needed_metrics))

    @property
    def measures(self) -> tuple[str, ...]:
        """The measurements of a model that a worker makes before it trains it, by name."""
        return tuple(name for name in MEASURES if name in self.needed_metrics)

    @property
    def config_constraints(self) -> tuple[Constraint, ...]:
        """The constraints on the configuration. One that breaks them is not tried."""
        return divided(self.constraints, self.space.parameters).of_configuration

    def _goal_problems(self) -> list[str]:
        declared = (self.objectives, self.constraints)
        if all(isinstance(each, tuple) and not each for each in declared) or not isinstance(self.space, SearchSpace):
            return []
        if self.space.problems():
            return []
        labels = {*self.space.parameters, *(slot.label for slot in self.space.slots())}
        problems = objectives_problems(self.objective, self.objectives, labels)
        objectives = [self.objective] if problems or not self.objectives else self.objectives
        sound = [each for each in objectives if isinstance(each, Objective) and not each.problems()]
        draws = range(_EXAMPLES if isinstance(self.constraints, tuple) and self.constraints else 0)
        examples = [self.space.sample(np.random.default_rng(draw)) for draw in draws]
        changes = getattr(self.scheduler, "CHANGES_CONFIGS", False)
        return [
            *_named("objectives", problems),
            *_named(
                "constraints", constraint_problems(self.constraints, sound, labels, examples, changes_configs=changes)
            ),
        ]

    def _budget_problems(self) -> list[str]:
        optional = {"trials": self.trials, "total_epochs": self.total_epochs}
        problems = [count_problem(name, value) for name, value in optional.items() if value is not None]
        problems.append(count_problem("max_epochs", self.max_epochs))
        problems.append(count_problem("executions", self.executions))
        problems.append(_fraction_problem(self.fraction))
        problems.append(count_problem("seed", self.seed, least=0))
        problems.append(count_problem("max_retries", self.max_retries, least=0))
        problems.append(count_problem("same_failures", self.same_failures))
        problems.append(positive_problem("checkpoint_every_s", self.checkpoint_every_s))
        if not _is_one_of(self.keep, "all", "none") and count_problem("keep", self.keep):
            keep = short_repr(self.keep)
            problems.append(f"The value of `keep` is {keep}, but must be 'all', 'none', or a whole number >= 1.")
        if not _is_one_of(self.on_oom, "fail", "grow"):
            problems.append(f"The value of `on_oom` is {short_repr(self.on_oom)}, but must be 'fail' or 'grow'.")
        if self.max_concurrent_trials is not None:
            problems.append(count_problem("max_concurrent_trials", self.max_concurrent_trials))
        limits = {"time_budget_s": self.time_budget_s, "trial_timeout_s": self.trial_timeout_s}
        problems += [positive_problem(name, value) for name, value in limits.items() if value is not None]
        return [problem for problem in problems if problem]

    def _fitting_problems(self) -> list[str]:
        """Return why parts that are right by themselves do not fit together."""
        if _space_problems(self.space) or _part_problems(self.searcher, Searcher):
            return []
        problems = _named("searcher", self.searcher.space_problems(self.space))
        # Only a searcher that fits the space can count its trials.
        is_countable = not problems and (self.trials is None or count_problem("trials", self.trials) is None)
        unlimited = self.trials is None and self.time_budget_s is None and self.total_epochs is None
        if is_countable and unlimited and self.searcher.limit(self.space) is None:
            problems.append(
                f"The experiment has no budget, and {type(self.searcher).__name__} never ends by itself: "
                "set trials, time_budget_s or total_epochs."
            )
        return problems + _named("scheduler", self._scheduling_problems(is_countable))

    def _scheduling_problems(self, is_countable: bool) -> list[str]:
        if _part_problems(self.scheduler, Scheduler) or count_problem("max_epochs", self.max_epochs):
            return []
        if not is_countable:
            return self.scheduler.epoch_problems(self.max_epochs)
        return self.scheduler.fitting_problems(self.space, self.planned_trials, self.max_epochs)


def _fraction_problem(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return None
    rule = "must be in (0, 1]: 0.2 uses a fifth of the examples, 1 all"
    return f"The value of `fraction` is {short_repr(value)}, but {rule}."


def _is_one_of(value: object, *words: str) -> bool:
    return isinstance(value, str) and value in words  # another type may compare itself in any way, as arrays do


def _named(part: str, problems: list[str]) -> list[str]:
    return [f"{part}: {problem}" for problem in problems]


def _part_problems(part: object, kind: Any) -> list[str]:
    if isinstance(part, Checked) and isinstance(part, kind):
        return part.problems()
    hint = f": call {part.__name__}()" if isinstance(part, type) else ""
    return [f"The value is {short_repr(part)}, but must be a {kind.__name__}{hint}."]


def _space_problems(space: object) -> list[str]:
    if isinstance(space, SearchSpace):
        return space.problems()
    if isinstance(space, Mapping):
        try:
            from_ray(space)
        except InvalidDeclaration as error:
            return list(error.problems)
    return [
        f"The value is {short_repr(space)}, but must be a SearchSpace, or a dictionary of ray.tune's distributions."
    ]
