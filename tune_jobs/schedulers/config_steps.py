"""A schedule of configurations that is known beforehand: trials change their configuration after given epochs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from search_spaces import SearchSpace
from search_spaces.messages import short_repr
from search_spaces.space import Config
from tune_jobs.schedulers.base import Pause, Promotion, Schedule, Scheduler


@dataclass(frozen=True)
class ConfigSteps(Scheduler):
    """A scheduler that gives each trial another configuration after certain epochs. The weights stay.

    It trains again what ``PopulationBased`` found: ``found_schedule`` makes it from a run. It stops nothing.

    Args:
        steps: Pairs of a number of epochs and the configuration after them, ascending.

    Raises:
        InvalidDeclaration: An argument is wrong; all mistakes are listed.

    Example:
        >>> from tune_jobs.schedulers import ConfigSteps
        >>> steps = ConfigSteps(steps=((2, {"learning_rate": 0.01}), (4, {"learning_rate": 0.001})))
        >>> steps.rungs(max_epochs=6)
        (2, 4)
        >>> schedule = steps.start(max_epochs=6, seed=0)
        >>> schedule.report(trial=0, epoch=2, loss=0.5)
        Pause(reason='epoch 2: the configuration changes')
        >>> schedule.next_promotion(last=False).config
        {'learning_rate': 0.01}
    """

    NAME: ClassVar[str] = "steps"
    PAUSES: ClassVar[bool] = True
    CHANGES_CONFIGS: ClassVar[bool] = True

    steps: tuple[tuple[int, Config], ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.steps, list | tuple) and all(isinstance(step, list | tuple) for step in self.steps):
            object.__setattr__(self, "steps", tuple(map(tuple, self.steps)))  # JSON has lists
        super().__post_init__()

    def problems(self) -> list[str]:
        """Return every mistake in the arguments."""
        told = f"The value of `steps` is {short_repr(self.steps)}, but must be"
        if not isinstance(self.steps, tuple) or not all(map(_is_step, self.steps)):
            return [f"{told} pairs of a number of epochs (1 or more) and a configuration (a dictionary)."]
        epochs = [epoch for epoch, _ in self.steps]
        return [] if epochs == sorted(set(epochs)) else [f"{told} ascending by epochs."]

    def fitting_problems(self, space: SearchSpace, trials: int | None, max_epochs: int) -> list[str]:  # noqa: ARG002
        """Return why it cannot schedule the trials of an experiment; nothing if it can."""
        if not self.steps:
            return ["ConfigSteps has no steps: give it those that `found_schedule` returns, or choose NoScheduler()."]
        return [f"after epoch {epoch}: {problem}" for epoch, config in self.steps for problem in space.validate(config)]

    def rungs(self, max_epochs: int) -> tuple[int, ...]:
        """Return the epochs of the steps below ``max_epochs``."""
        return tuple(epoch for epoch, _ in self.steps if epoch < max_epochs)

    def start(self, max_epochs: int, seed: int) -> Schedule:  # noqa: ARG002 - the interface has it
        """Return the schedule of a new run."""
        return _StepsSchedule({epoch: config for epoch, config in self.steps if epoch < max_epochs})


class _StepsSchedule(Schedule):
    def __init__(self, configs: dict[int, Config]) -> None:
        self._configs = configs
        self._paused: dict[int, int] = {}

    def report(self, trial: int, epoch: int, loss: float) -> Pause | None:  # noqa: ARG002 - the interface has it
        if epoch not in self._configs:
            return None
        self._paused[trial] = epoch
        return Pause(f"epoch {epoch}: the configuration changes")

    def next_promotion(self, *, last: bool) -> Promotion | None:  # noqa: ARG002 - the interface has it
        if not self._paused:
            return None
        trial, epoch = next(iter(self._paused.items()))
        return Promotion(trial, f"epoch {epoch}: goes on with its next configuration", trial, self._configs[epoch])

    def promote(self, trial: int) -> None:
        self._paused.pop(trial, None)

    def end(self, trial: int) -> None:
        self._paused.pop(trial, None)


def _is_step(step: object) -> bool:
    if not isinstance(step, tuple) or len(step) != 2:
        return False
    epoch, config = step
    return isinstance(epoch, int) and not isinstance(epoch, bool) and epoch >= 1 and isinstance(config, dict)
