"""The declaration of an experiment: what is trained, what is searched, how, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from search_spaces import SearchSpace, from_ray
from search_spaces.checked import Checked, InvalidDeclaration
from tune_jobs.base.objective import Objective
from tune_jobs.base.rules import count_problem, positive_problem
from tune_jobs.experiment.resources import OnOom, Resources
from tune_jobs.schedulers import ASHA, Scheduler
from tune_jobs.searchers import HyperOpt, Searcher

Keep: TypeAlias = int | Literal["all", "none"]


@dataclass(frozen=True)
class Experiment(Checked):
    """One frozen declaration, checked whole before anything is started.

    Attributes:
        trainable: A subclass of KerasTrainable: the class, not an instance.
        space: What is searched: a SearchSpace, or a dictionary of ``ray.tune.uniform`` and the like.
        objective: What is optimised.
        searcher: What to try.
        scheduler: When to stop a trial early.
        max_epochs: How many epochs a trial is trained at most.
        trials: How many configurations are tried at most; None: as many as the searcher and the other budgets allow.
        time_budget_s: Seconds after which the run ends; None: no limit.
        total_epochs: Epochs of all trials together after which the run ends; None: no limit.
        executions: How many times each configuration is trained, with other seeds; its trial is judged by their mean.
        fraction: The part of the training and of the validation examples that is used, in (0, 1]: of each class its
            share, and in all runs with this fraction the same examples.
        resources: What each trial gets.
        max_concurrent_trials: How many trials run side by side at most; None: as many as the machine has room for.
        on_oom: What becomes of a trial that ran out of its part of a GPU: it fails, or ("grow") is tried again with
            twice the part, at most a whole GPU. With ``gpus="auto"`` trials always grow.
        seed: Seed of everything random: proposals, weights, order of examples.
        checkpoint_every_s: Seconds between two checkpoints of a trial, beside those at rungs and at its end.
        max_retries: How often a trial whose worker died is continued.
        same_failures: How many trials in a row, all failed with the same error, end the run.
        trial_timeout_s: Seconds without a finished epoch after which a trial counts as hanging, and fails; None: never.
        keep: How many trials keep their weights when they have ended, the best ones; or "all", or "none".

    Raises:
        InvalidDeclaration: Any part is wrong; all mistakes are listed.
    """

    # Every field has a row in tune_jobs.experiment.fields: resuming, describing and comparing runs go by it.
    trainable: type[Any]
    space: SearchSpace
    objective: Objective
    searcher: Searcher = field(default_factory=HyperOpt)
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

    def __post_init__(self) -> None:
        if isinstance(self.space, Mapping):
            with suppress(InvalidDeclaration):  # told by problems(), beside everything else
                object.__setattr__(self, "space", from_ray(self.space))
        super().__post_init__()

    def problems(self) -> list[str]:
        """All that is wrong with the experiment, each mistake named by the part that has it."""
        return [
            *_trainable_problems(self.trainable),
            *_named("space", _space_problems(self.space)),
            *_named("objective", _part_problems(self.objective, Objective)),
            *_named("searcher", _part_problems(self.searcher, Searcher)),
            *_named("scheduler", _part_problems(self.scheduler, Scheduler)),
            *_named("resources", _part_problems(self.resources, Resources)),
            *self._budget_problems(),
            *self._fitting_problems(),
        ]

    def override(self, **fields: Any) -> Experiment:
        """The experiment with some fields replaced (those that are not None), checked anew."""
        return replace(self, **{name: value for name, value in fields.items() if value is not None})

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs after which the scheduler compares trials."""
        return self.scheduler.rungs(self.max_epochs)

    @property
    def planned_trials(self) -> int | None:
        """How many trials there can be; None when only another budget ends the run."""
        limit = self.searcher.limit(self.space)
        return min((count for count in (self.trials, limit) if count is not None), default=None)

    @property
    def most_epochs(self) -> int | None:
        """How many epochs the run trains at most; None when only the time ends it."""
        trials = self.planned_trials
        bounds = [self.total_epochs, None if trials is None else trials * self.max_epochs]
        return min((bound for bound in bounds if bound is not None), default=None)

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
        if self.keep not in ("all", "none") and count_problem("keep", self.keep):
            problems.append(f"The value of `keep` is {self.keep!r}, but must be 'all', 'none', or a whole number >= 1.")
        if self.on_oom not in ("fail", "grow"):
            problems.append(f"The value of `on_oom` is {self.on_oom!r}, but must be 'fail' or 'grow'.")
        if self.max_concurrent_trials is not None:
            problems.append(count_problem("max_concurrent_trials", self.max_concurrent_trials))
        limits = {"time_budget_s": self.time_budget_s, "trial_timeout_s": self.trial_timeout_s}
        problems += [positive_problem(name, value) for name, value in limits.items() if value is not None]
        return [problem for problem in problems if problem]

    def _fitting_problems(self) -> list[str]:
        """What is wrong between parts that are right by themselves."""
        if _space_problems(self.space) or _part_problems(self.searcher, Searcher):
            return []
        problems = _named("searcher", self.searcher.space_problems(self.space))
        unlimited = self.trials is None and self.time_budget_s is None and self.total_epochs is None
        if not problems and unlimited and self.searcher.limit(self.space) is None:
            problems.append(
                f"The experiment has no budget, and {type(self.searcher).__name__} never ends by itself: "
                "set trials, time_budget_s or total_epochs."
            )
        if not _part_problems(self.scheduler, Scheduler) and not count_problem("max_epochs", self.max_epochs):
            problems += _named("scheduler", self.scheduler.epoch_problems(self.max_epochs))
        return problems


def _fraction_problem(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return None
    return f"The value of `fraction` is {value!r}, but must be in (0, 1]: 0.2 uses a fifth of the examples, 1 all."


def _named(part: str, problems: list[str]) -> list[str]:
    return [f"{part}: {problem}" for problem in problems]


def _part_problems(part: object, kind: Any) -> list[str]:
    if isinstance(part, Checked) and isinstance(part, kind):
        return part.problems()
    hint = f": call {part.__name__}()" if isinstance(part, type) else ""
    return [f"The value is {part!r}, but must be a {kind.__name__}{hint}."]


def _space_problems(space: object) -> list[str]:
    if isinstance(space, SearchSpace):
        return space.problems()
    if isinstance(space, Mapping):
        try:
            from_ray(space)
        except InvalidDeclaration as error:
            return list(error.problems)
    return [f"The value is {space!r}, but must be a SearchSpace, or a dictionary of ray.tune's distributions."]


def _trainable_problems(trainable: object) -> list[str]:
    from trainables import KerasTrainable

    if not (isinstance(trainable, type) and issubclass(trainable, KerasTrainable)):
        hint = "the class itself, not an instance" if isinstance(trainable, KerasTrainable) else "a class"
        return [f"The value of `trainable` is {trainable!r}, but must be a subclass of KerasTrainable: {hint}."]
    missing = [
        name for name in ("build_model", "load_data") if getattr(trainable, name) is getattr(KerasTrainable, name)
    ]
    return [f"trainable: {trainable.__name__} does not define {name}(), but must." for name in missing]
