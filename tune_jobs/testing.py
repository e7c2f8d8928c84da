"""The tests that every searcher must pass, for use in your own test suite."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from search_spaces import Boolean, Choice, Float, Int, SearchSpace
from search_spaces.messages import short_repr
from search_spaces.space import Config
from trainables import Data, KerasTrainable
from trainables.report import Epoch, Report
from tune_jobs.base.objective import Objective
from tune_jobs.engine.decisions.coordinator import Coordinator
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.results import Event, Noted, TrialStarted
from tune_jobs.results.journal.lines import decode, encode
from tune_jobs.searchers import Searcher

_MAX_EPOCHS = 9
_LOSS = "val_loss"


def example_spaces() -> tuple[SearchSpace, ...]:
    """Return spaces of every kind: logarithms, steps and categories; conditions and repetition; few configurations.

    Example:
        >>> from tune_jobs.testing import example_spaces
        >>> [space.size for space in example_spaces()]
        [inf, inf, 6]
    """
    return (
        SearchSpace(
            learning_rate=Float(1e-4, 1e-1, log=True),
            units=Int(16, 128, step=16),
            layers=Int(1, 9),
            activation=Choice("relu", "tanh", "gelu"),
        ),
        SearchSpace(
            layers=Int(1, 3),
            units=Int(8, 64, log=True).per("layers"),
            optimizer=Choice("sgd", "adam"),
            momentum=Float(0.0, 0.9).when(optimizer="sgd"),
        ),
        SearchSpace(units=Choice(16, 32, 64), bias=Boolean()),
    )


def check_searcher(
    searcher: Searcher, space: SearchSpace | None = None, *, trials: int = 12, workers: int = 3, seed: int = 0
) -> None:
    """Test that a searcher keeps the promises of ``tune_jobs.searchers.Searcher`` and ``Search``.

    The searcher proposes trials to the coordinator of a run, with simulated workers: nothing is trained, and Ray is not
    started. Some trials raise an error, the losses of some become NaN, and a scheduler stops others. Then the journal
    is cut in several places, and the run is resumed.

    Args:
        searcher: The searcher.
        space: A space that it can search; None: each of ``example_spaces`` that it does not refuse.
        trials: The number of trials of a run.
        workers: The number of trials that run side by side.
        seed: The seed of the proposals.

    Raises:
        AssertionError: It breaks a promise; all that were found are listed.

    Example:
        >>> from tune_jobs import Random
        >>> from tune_jobs.testing import check_searcher
        >>> check_searcher(Random())
    """
    problems = list(_declaration_problems(searcher))
    spaces = example_spaces() if space is None else (space,)
    searched = [each for each in spaces if not searcher.space_problems(each)]
    if not searched:
        problems.append(f"It refuses the space: {' '.join(searcher.space_problems(spaces[0]))}")
    for each in searched:
        problems += [
            f"In a space of {', '.join(each.parameters)}: {text}"
            for text in _problems(searcher, each, trials, workers, seed)
        ]
    if problems:
        raise AssertionError("\n".join([f"{searcher!r} breaks its promises:", *dict.fromkeys(problems)]))


def _declaration_problems(searcher: Searcher) -> Iterator[str]:
    yield from searcher.problems()
    if not isinstance(getattr(searcher, "NAME", None), str):
        yield "It has no NAME."
        return
    written = searcher.to_json()
    try:
        settings = json.loads(json.dumps(written, allow_nan=False))
    except (TypeError, ValueError) as error:
        yield f"to_json returns {short_repr(written)}, which is not JSON: {error}."
        return
    if settings.pop("kind", None) != searcher.NAME:
        yield f"to_json returns {short_repr(written)}, whose `kind` must be NAME, {searcher.NAME!r}."
    elif json.dumps(searcher.restored(settings).to_json()) != json.dumps(written):
        yield "restored does not make an equal searcher of what to_json returns."


def _problems(searcher: Searcher, space: SearchSpace, trials: int, workers: int, seed: int) -> Iterator[str]:
    def run(number: int, earlier: Sequence[Event] = ()) -> _Run:
        return _Run(_experiment(searcher, space, trials, seed), number, list(earlier)).go_on()

    before = _global_states()
    whole, side_by_side = run(1), run(workers)
    if _global_states() != before:
        yield "It draws from a global random state: use np.random.default_rng([seed, trial, stream])."
    for trial, config in {**whole.configs, **side_by_side.configs}.items():
        if reasons := space.validate(config):
            yield f"Trial {trial} is {short_repr(config)}, which is not in the space: {' '.join(reasons)}"
    limit = searcher.limit(space)
    expected = trials if limit is None else min(trials, limit)
    if len(side_by_side.configs) < expected:
        yield f"It proposed {len(side_by_side.configs)} of {expected} trials, some of which failed."
    if run(1).configs != whole.configs:
        yield "With the same seed it proposes other configurations."
        return
    yield from _resumption_problems(whole, run)
    for cut in _cuts(side_by_side.events, 2):
        if corrections := run(workers, side_by_side.events[:cut]).corrections:
            yield f"With {workers} trials side by side, cut after {cut} events: {corrections[0]}"


def _resumption_problems(whole: _Run, run: Callable[[int, Sequence[Event]], _Run]) -> Iterator[str]:
    for cut in _cuts(whole.events, 4):
        if run(1, whole.events[:cut]).configs != whole.configs:
            yield (
                f"A run that was cut after {cut} of {len(whole.events)} events goes on with other configurations. A "
                "proposal may depend on nothing but the seed, the trial's number and the earlier calls; if it depends "
                "on the proposals before, the searcher needs REASKED = True."
            )
            return


def _cuts(events: Sequence[Event], count: int) -> range:
    return range(len(events) // (count + 1), len(events), max(1, len(events) // (count + 1)))


def _global_states() -> tuple[Any, ...]:
    return np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002


def _experiment(searcher: Searcher, space: SearchSpace, trials: int, seed: int) -> Experiment:
    return Experiment(
        trainable=_NotTrained,
        space=space,
        objective=Objective(_LOSS, "min"),
        searcher=searcher,
        max_epochs=_MAX_EPOCHS,
        trials=trials,
        same_failures=10**6,
        seed=seed,
    )


class _NotTrained(KerasTrainable):
    def build_model(self, config: dict[str, Any]) -> Any:
        raise NotImplementedError

    def load_data(self) -> Data:
        raise NotImplementedError


@dataclass
class _Run:
    """A run with simulated workers, each of which reports an epoch in its turn."""

    experiment: Experiment
    workers: int
    events: list[Event]
    configs: dict[int, Config] = field(default_factory=dict)
    corrections: Sequence[str] = ()

    def event(self, event: Event) -> None:
        """Take an event as a journal would hold it."""
        written = decode(encode(event))
        self.events += [written] if written is not None else []

    def traceback(self, trial: int, text: str) -> None:
        """Do nothing: nothing is raised."""

    def go_on(self) -> _Run:
        """Run to the end, from where the events end."""
        coordinator = Coordinator(self.experiment, self, clock=lambda: float(len(self.events)))
        coordinator.replay(self.events)
        coordinator.begin(cpus=self.workers, gpus=0, max_concurrent_trials=self.workers)
        running: list[tuple[int, Config]] = []
        while True:
            while len(running) < self.workers and isinstance(proposal := coordinator.propose(), tuple):
                running.append(proposal)
                coordinator.start(proposal[0], "simulated")
            if not running:
                break
            trial, config = running.pop(0)
            epoch = coordinator.reported_epochs(trial) + 1
            if not coordinator.report(trial, _report(config, trial, epoch)):
                running.append((trial, config))
        coordinator.finish()
        self.configs = {event.trial: dict(event.config) for event in self.events if isinstance(event, TrialStarted)}
        notes = (event.text for event in self.events if isinstance(event, Noted))
        self.corrections = [text for text in notes if text.startswith("Asked again")]
        return self


def _report(config: Config, trial: int, epoch: int) -> Report:
    if trial % 5 == 2:
        return {"error": "ValueError: simulated", "done": True}
    numbers = [value for value in json.dumps(config).replace("[", " ").split() if any(map(str.isdigit, value))]
    loss = sum(len(number) for number in numbers) / 10 + math.exp(-epoch) + (trial * 7 % 5) / 5
    if trial % 7 == 3 and epoch > 1:
        loss = math.nan
    return Epoch(epoch, {"loss": loss, _LOSS: loss}, 1.0).report(done=epoch == _MAX_EPOCHS)
