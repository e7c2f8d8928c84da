"""The description of an experiment in words: the space, the way to search, and the budget."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from tune_jobs.base.objective import direction
from tune_jobs.base.words import quantity
from tune_jobs.experiment.fields import FIELDS
from tune_jobs.views.text import clean, duration, value_text

if TYPE_CHECKING:
    from tune_jobs.experiment.experiment import Experiment
    from tune_jobs.loading.loader import Loaded


def description(loaded: Loaded) -> str:
    """Return the description of an experiment, as lines of plain text.

    Args:
        loaded: The experiment with its name and the docstring of its file.
    """
    experiment = loaded.experiment
    about = "\n".join(map(clean, loaded.description.splitlines()))
    space = "\n".join(map(clean, str(experiment.space).splitlines()))
    facts = {
        "trainable": clean(f"{experiment.trainable.__module__}.{experiment.trainable.__qualname__}"),
        "objective": "; ".join(
            f"{clean(objective.metric)}, {direction(objective.mode)}"
            for objective in experiment.objectives or (experiment.objective,)
        ),
        "searcher": _part(experiment.searcher.to_json()),
        "scheduler": f"{_part(experiment.scheduler.to_json())}; {_rungs(experiment)}",
        "resources": _resources(experiment),
        "budget": _budget(experiment),
    }
    for field in FIELDS.values():
        if field.line is not None and (words := field.line.words(getattr(experiment, field.name))):
            facts[field.line.name] = words
    parts = [f"{loaded.name}\n{about}".strip(), textwrap.indent(space, "  "), _aligned(facts)]
    return "\n\n".join(parts)


def _aligned(facts: dict[str, str]) -> str:
    widest = max(map(len, facts))
    return "\n".join(f"{name:{widest}}  {fact}" for name, fact in facts.items())


def _part(declared: dict[str, Any]) -> str:
    settings = [f"{name} {value_text(value)}" for name, value in declared.items() if name != "kind"]
    return clean(declared["kind"]) + (f" ({', '.join(settings)})" if settings else "")


def _rungs(experiment: Experiment) -> str:
    if not experiment.rungs:
        return f"no trial is stopped before epoch {experiment.max_epochs}"
    rungs = ", ".join(map(str, experiment.rungs))
    return f"rungs at {rungs} of {quantity(experiment.max_epochs, 'epoch')}"


def _resources(experiment: Experiment) -> str:
    resources, limit = experiment.resources, experiment.max_concurrent_trials
    side_by_side = f"at most {limit} at a time" if limit else "as many at a time as the machine has room for"
    gpus = "as much of a GPU as it needs" if resources.gpus == "auto" else quantity(resources.gpus, "GPU")
    parts = [quantity(resources.cpus, "CPU"), gpus]
    if resources.memory_bytes is not None:
        parts.append(f"{resources.memory_bytes:,} bytes of memory")
    parts += [f"{amount:g} {clean(name)}" for name, amount in resources.custom.items()]
    growing = "" if experiment.on_oom == "fail" else "; a trial that runs out of its part of a GPU gets a larger one"
    holder = "trial" if experiment.together == 1 else "worker"
    return f"{', '.join(parts[:-1])} and {parts[-1]} a {holder}, {side_by_side}{growing}"


def _budget(experiment: Experiment) -> str:
    trials = experiment.planned_trials
    parts = [f"at most {quantity(trials, 'trial')}" if trials else "any number of trials"]
    parts[0] += f" of at most {quantity(experiment.max_epochs, 'epoch')}"
    if experiment.time_budget_s is not None:
        parts.append(f"{duration(experiment.time_budget_s)}")
    if (epochs := experiment.planned_epochs) is not None:
        parts.append(f"at most {quantity(epochs, 'epoch')} in all")
    return ", ".join(parts)
