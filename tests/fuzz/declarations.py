"""Odd declarations in Python: parts of spaces, spaces, searchers, experiments, data, and what is asked of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from tests.fuzz.act import Act
from tests.fuzz.box import Box
from tests.fuzz.damage import damaged_json
from tests.fuzz.draw import Draw


def declaration(draw: Draw, box: Box) -> Act:
    """Return an act that declares something in Python and asks everything of it."""
    make = draw.one((_parameter, _space, _space, _space_from_json, _part, _experiment, _data, _from_ray, _call, _split))
    storage = _storage(draw, box)

    def work() -> int:
        value = make(draw, box, storage)
        for ask in _QUESTIONS.get(type(value).__name__, ()):
            ask(draw, value)
        return 0

    return Act(f"Python: {make.__name__}", work, (box.runs, box.root / storage, box.temporary))


def _storage(draw: Draw, box: Box) -> str:
    """Return a storage for new runs, which lies in the box."""
    text = draw.text() if draw.chance(0.3) else "runs"
    path = os.path.normpath(box.root / text)
    is_within = path.startswith(f"{box.root}/") and not path.startswith(str(box.stranger))
    return (
        text if is_within and "\0" not in text and not any("\ud800" <= letter < "\udc80" for letter in text) else "runs"
    )


def _arguments(draw: Draw, names: tuple[str, ...], most: int = 9) -> dict[str, Any]:
    return {name: draw.number() if draw.chance(0.6) else draw.value() for name in draw.some(names, most)}


def _parameter(draw: Draw, box: Box, storage: str) -> Any:
    from search_spaces import Boolean, Choice, Fixed, Float, Int

    kind = draw.one((Int, Float, Choice, Boolean, Fixed))
    if kind in (Int, Float):
        lower = draw.number()
        upper = (
            draw.number()
            if draw.chance(0.4)
            else lower + draw.one((1, 9, 0.5, 10**9, 1e-320, 1e300))
            if _adds(lower)
            else 1
        )
        parameter: Any = kind(lower, upper, **_arguments(draw, ("step", "log"), 2))
    elif kind is Choice:
        parameter = Choice(*(draw.json() for _ in range(draw.count(5))))
    elif kind is Boolean:
        parameter = Boolean()
    else:
        parameter = Fixed(draw.value())
    if draw.chance(0.2):
        parameter = parameter.when(**{draw.one(("a", "b", draw.text() or "x")): draw.value()})
    if draw.chance(0.15):
        parameter = parameter.per(draw.one(("a", "b", draw.value())))
    return parameter


def _adds(number: Any) -> bool:
    return not isinstance(number, bool) and abs(number) < 10**300


def _space(draw: Draw, box: Box, storage: str) -> Any:
    from search_spaces import SearchSpace
    from search_spaces.checked import deferred_checks

    with deferred_checks():
        parameters = {name: _parameter(draw, box, storage) for name in draw.some(("a", "b", "c", "d", "e"), 5)}
    if draw.chance(0.1):
        parameters[draw.text()] = draw.value()
    return SearchSpace(**parameters)


def _space_from_json(draw: Draw, box: Box, storage: str) -> Any:
    from search_spaces import Choice, Float, Int, SearchSpace

    space = SearchSpace(
        layers=Int(1, 3),
        units=Choice(8, 16).per("layers"),
        kind=Choice("a", "b"),
        rate=Float(1e-3, 1, log=True).when(kind="a"),
    )
    return SearchSpace.from_json(damaged_json(draw, space.to_json()))


def _part(draw: Draw, box: Box, storage: str) -> Any:
    import tune_jobs
    from trainables import FitOptions, TrialSettings

    fields = {
        "ASHA": ("grace_period", "reduction_factor", "brackets"),
        "HyperOpt": ("points", "startup_trials", "gamma", "candidates", "prior_weight"),
        "Bayesian": ("points", "startup_trials", "candidates"),
        "Random": (),
        "Sweep": ("steps", "start"),
        "Resources": ("cpus", "gpus", "memory_bytes", "custom"),
        "Objective": ("metric", "mode"),
    }
    name = draw.one([*fields, "FitOptions", "TrialSettings"])
    if name == "FitOptions":
        return FitOptions(**_arguments(draw, ("callbacks", "class_weight", "validation_batch_size", "augment")))
    if name == "TrialSettings":
        return TrialSettings(**_arguments(draw, ("metric", "mode", "max_epochs", "seed", "executions", "cpus", "gpus")))
    given = _arguments(draw, fields[name])
    if name == "Objective":
        given = {"metric": draw.value(), "mode": draw.one(("max", "min", draw.value()))}
    return getattr(tune_jobs, name)(**given)


def _experiment(draw: Draw, box: Box, storage: str) -> Any:
    from search_spaces.checked import deferred_checks
    from tests.support import fakes
    from tune_jobs.experiment.fields import FIELDS

    given: dict[str, Any] = {}
    names = draw.some([name for name in FIELDS if name != "trainable"], 3)
    with deferred_checks():
        for name in names:
            if name == "space" and draw.chance(0.8):
                given[name] = _space(draw, box, storage)
            elif name in ("searcher", "scheduler", "resources", "objective") and draw.chance(0.7):
                given[name] = _part(draw, box, storage)
            else:
                given[name] = draw.number() if draw.chance(0.6) else draw.value()
    return fakes.experiment(**given)


def _data(draw: Draw, box: Box, storage: str) -> Any:
    from trainables import Data

    def array() -> Any:
        if draw.chance(0.3):
            return draw.value()
        shape = draw.one(((), (0,), (6,), (6, 1), (6, 2), (5, 2), (6, 0), (6, 2, 2)))
        values = np.random.default_rng(1).normal(size=shape)
        return values.astype(
            draw.one(("float32", "float64", "int32", "int8", "bool", "U3", "S3", "complex64", "O", "M8[s]"))
        )

    def part() -> Any:
        pair = (draw.one((array, lambda: [array(), array()], lambda: {"a": array(), "b": array()}))(), array())
        return draw.one((pair, pair, pair, pair[:1], (*pair, array()), draw.value(), None))

    return Data(
        **{name: part() for name in ("train", *draw.some(("validation", "test"), 2))},
        **_arguments(draw, ("class_names",)),
    )


def _split(draw: Draw, box: Box, storage: str) -> Any:
    from trainables import split

    y = draw.one(
        (np.arange(40) % 3, np.arange(40) / 7, np.array(["a", "b"] * 20), np.zeros(40), np.arange(40), draw.value())
    )
    x = draw.one((np.zeros((40, 2)), [np.zeros((40, 2))], {"a": np.zeros(40)}, np.zeros((39, 2)), draw.value()))
    return split(x, y, draw.number() if draw.chance(0.7) else draw.value(), **_arguments(draw, ("seed",), 1))


def _from_ray(draw: Draw, box: Box, storage: str) -> Any:
    from ray import tune

    from search_spaces import from_ray

    makers: tuple[Callable[[], Any], ...] = (
        lambda: tune.uniform(draw.number(), draw.number()),
        lambda: tune.loguniform(1e-300, draw.one((1e-3, 1e301))),
        lambda: tune.quniform(0, 1, draw.one((0.1, 1e-320, 0, -1))),
        lambda: tune.randint(draw.one((0, 10**18, 10**400)), draw.number()),
        lambda: tune.choice(draw.one(([1, 2], [], "ab", [[1]], [None]))),
        lambda: tune.grid_search([1, draw.json()]),
        lambda: tune.sample_from(lambda _: 1),
        lambda: tune.randn(0, 1),
        lambda: {"nested": tune.uniform(0, 1)},
        draw.value,
    )
    domains = {}
    for name in draw.some(("a", "b", "c", draw.text()), 3):
        try:
            domains[name] = draw.one(makers)()
        except Exception:  # noqa: BLE001, S112 - Ray's own complaint about its own arguments
            continue
    return from_ray(domains)


def _call(draw: Draw, box: Box, storage: str) -> Any:
    import tune_jobs
    from tests.support import fakes

    experiment: Any = fakes.experiment()
    reference = draw.one(("first", "runs/first", box.run, draw.text(), draw.value()))
    places: Any = draw.one((storage, storage, box.runs, draw.text() if draw.chance(0.3) else "runs"))
    calls: tuple[Callable[[], Any], ...] = (
        lambda: tune_jobs.run(experiment, storage=storage, name=draw.text()),
        lambda: tune_jobs.run(experiment, storage=box.runs, name="next", warm_start=[draw.one((box.run, draw.text()))]),
        lambda: tune_jobs.run_repeats(experiment, draw.one((2, draw.number())), storage=box.runs, name="again"),
        lambda: tune_jobs.load_run(draw.text() if draw.chance(0.5) else box.run),
        lambda: tune_jobs.load_run(box.run).curves(draw.text()),
        lambda: tune_jobs.find_runs(str(reference), places),
        lambda: tune_jobs.compare([box.run, draw.text()]),
        lambda: tune_jobs.compare([tune_jobs.load_run(box.run)] * draw.one((1, 2))),
        lambda: tune_jobs.sweep_path(tune_jobs.load_run(draw.one((box.run, box.runs / "swept")))),
        lambda: tune_jobs.export(box.run, experiment, draw.text(), force=True),
        lambda: tune_jobs.evaluate(box.run, experiment, trial=draw.one((0, 1, draw.number())), force=draw.chance(0.5)),
        lambda: tune_jobs.resume(draw.one((box.run, draw.text())), experiment),
        lambda: experiment.override(**{draw.one(("trials", "seed", "keep", "space", "searcher")): draw.value()}),
    )
    return draw.one(calls)()


_QUESTIONS: dict[str, tuple[Callable[[Draw, Any], object], ...]] = {
    "SearchSpace": (
        lambda draw, space: str(space),
        lambda draw, space: space.size,
        lambda draw, space: space.slots(),
        lambda draw, space: space.sample(np.random.default_rng(0)),
        lambda draw, space: list(islice(space.grid(), 3)) if isinstance(space.size, int) else None,
        lambda draw, space: space.validate(draw.value()),
        lambda draw, space: type(space).from_json(space.to_json()) == space,
        lambda draw, space: _searches(space),
    ),
    "Experiment": (
        lambda draw, experiment: (experiment.rungs, experiment.planned_trials, experiment.planned_epochs),
        lambda draw, experiment: _recorded(experiment),
        lambda draw, experiment: _described(experiment),
    ),
    "ASHA": (lambda draw, asha: asha.rungs(100),),
    "Resources": (
        lambda draw, resources: (resources.minimum, resources.to_ray(), resources.to_json(), _fits(resources)),
    ),
    **{
        kind: (
            lambda draw, parameter: (repr(parameter), parameter.describe(), parameter.size, hash(parameter)),
            lambda draw, parameter: parameter.problem_with(draw.value()),
            lambda draw, parameter: parameter.sample(np.random.default_rng(0)),
        )
        for kind in ("Int", "Float", "Choice", "Boolean", "Fixed")
    },
}


def _searches(space: Any) -> None:
    from tune_jobs.searchers import SEARCHERS

    for kind in SEARCHERS.values():
        searcher = kind()
        if not searcher.space_problems(space):
            searcher.limit(space)
            search = searcher.start(space, seed=0, rungs=(1,), max_epochs=3)
            for trial in range(2):
                if isinstance(config := search.propose(trial), dict):
                    assert space.contains(config), (kind.__name__, config)
                    search.report(trial, 1, 0.5)
                    search.end(trial, failed=False, trained_out=True)


def _recorded(experiment: Any) -> None:
    import json

    from tune_jobs.experiment.record import restore_experiment, write_record

    record = json.loads(json.dumps(write_record("x", experiment, "x", None)))
    restore_experiment(experiment, record)


def _described(experiment: Any) -> None:
    from tune_jobs.loading.loader import Loaded
    from tune_jobs.views.reports.experiment import description

    description(Loaded(experiment, "x"))


def _fits(resources: Any) -> object:
    from tune_jobs.host.capacity import this_machine

    machine = this_machine()
    return machine.problems(resources) or machine.concurrent_trials(resources.minimum, None)
