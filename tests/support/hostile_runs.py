"""A run in which everything that an experiment or a trial can say tries to be more than text."""

from __future__ import annotations

from pathlib import Path

from search_spaces import Choice, Float, SearchSpace
from tests.support import fakes, runs
from tune_jobs.base.objective import Objective
from tune_jobs.results import EpochReported, Event, Noted, RunEnded, RunStarted, Status, TrialEnded, TrialStarted
from tune_jobs.results.run import Run

SCRIPT = "<script>window.hurt=1</script>"
IMAGE = "<img src=x onerror='window.hurt=1'>"
CLOSING = "</script><script>window.hurt=1</script><!--"
TAGS = "<b>bold</b> &amp; <a href='javascript:window.hurt=1'>link</a>"
TEMPLATE = "%{x} $x^2$ ${window.hurt=1} {{7*7}}"
FORMULA = '=HYPERLINK("http://x","y")'
CONTROL = "\x1b]0;title\x07\x1b[31mred\x1b[0m\r\n\u202egnp"
QUOTES = "\"'`\\"
EVIL = (SCRIPT, IMAGE, CLOSING, TAGS, TEMPLATE, FORMULA, CONTROL, QUOTES)
METRIC = f"val_{IMAGE}{QUOTES}"


def make_hostile_run(storage: Path, name: str = "hostile") -> Run:
    """Make the run: hostile names of parameters and metrics, values, errors, notes and machines."""
    space = SearchSpace(constructor=Choice(*EVIL), __proto__=Float(0.1, 1000.0, log=True))
    experiment = fakes.experiment(space=space, objective=Objective(METRIC, "max"), trials=16)
    events: list[Event] = [RunStarted(time_s=1.0, cpus=2, gpus=0, max_concurrent_trials=2)]
    for trial in range(16):
        evil = EVIL[trial % len(EVIL)]
        config = dict(zip(space.parameters, (evil, 0.1 * 1.3**trial), strict=True))
        events.append(TrialStarted(time_s=2.0 + trial, trial=trial, config=config, node=f"{IMAGE}{evil}"))
        metrics = {METRIC: 0.5 + trial / 40, f"{CLOSING}": 1.0, f"loss{TEMPLATE}": 2.0}
        events.append(EpochReported(time_s=2.5 + trial, trial=trial, epoch=1, metrics=metrics, seconds=0.5))
        status = Status.FAILED if trial % 2 else Status.COMPLETED
        error = f"{evil} {SCRIPT}" if trial % 2 else None
        events.append(TrialEnded(time_s=2.6 + trial, trial=trial, status=status, reason=f"because {evil}", error=error))
        events.append(Noted(time_s=2.7 + trial, trial=trial, text=f"{evil}{SCRIPT}"))
    events.append(RunEnded(time_s=30.0, reason=f"{SCRIPT}", error=f"{CLOSING}{CONTROL}"))
    record = {"experiment": SCRIPT, "reference": CLOSING, "trainable": IMAGE}
    return runs.make_run(storage, name, events, experiment=experiment, record=record)
