"""What a pause, a promotion and another's weights cost a run: the seconds that a worker trains no epoch.

    python -m benchmarks.promotions [--trials 12] [--scheduler promotion|population] [--json FILE]

A run of digits_mlp is made, and its journal is read. A pause takes from the report after which a trial paused to the
first line that says that a trial has started afterwards: the driver judges, and the worker waits. A start takes from
that line to the report of its first epoch, without the seconds of the epoch itself: the worker writes what the trial
before left unwritten, builds or takes a model, and reads a checkpoint where the trial goes on.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable
from typing import Any

from benchmarks.figures import parser_of, write_figures


def main() -> None:
    """Run once, and print the medians."""
    from tune_jobs import PopulationBased, PromotionASHA, engine
    from tune_jobs.examples.digits_mlp import EXPERIMENT

    schedulers = {"promotion": PromotionASHA(), "population": PopulationBased(interval=2)}
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--scheduler", choices=schedulers, default="promotion")
    options = parser.parse_args()
    experiment = EXPERIMENT.override(trials=options.trials, max_epochs=9, scheduler=schedulers[options.scheduler])
    with tempfile.TemporaryDirectory() as storage:
        figures = figures_of(engine.run(experiment, storage=storage, name="run").events())
    for name, seconds in figures.items():
        if seconds:
            print(f"{name:>32}: {len(seconds):3} times, median {1000 * statistics.median(seconds):7.1f} ms")
    write_figures(options, figures)


def figures_of(events: Iterable[Any]) -> dict[str, list[float]]:
    """Return the seconds of each pause and start in a journal, by kind."""
    kinds = ("pause", "start, new", "start, promoted", "start, with another's weights")
    figures: dict[str, list[float]] = {kind: [] for kind in kinds}
    begun: dict[int, tuple[str, float]] = {}
    next_kind: dict[int, str] = {}
    paused_at_s: list[float] = []
    for event in events:
        if event.EVENT == "trial_paused":
            paused_at_s.append(event.time_s)
        elif event.EVENT == "trial_promoted":
            next_kind[event.trial] = kinds[2] if event.donor is None else kinds[3]
        elif event.EVENT == "trial_started":
            begun[event.trial] = next_kind.pop(event.trial, kinds[1]), event.time_s
            if paused_at_s:
                figures["pause"].append(event.time_s - paused_at_s.pop(0))
        elif event.EVENT == "epoch" and event.trial in begun:
            kind, begun_s = begun.pop(event.trial)
            figures[kind].append(event.time_s - begun_s - event.seconds)
    return figures


if __name__ == "__main__":
    main()
