"""What the driver costs: many short trials of nothing, here and under plain Ray Tune with its default loggers.

    python benchmarks/driver.py [--trials 2000] [--epochs 5] [--pairs 1] [--json FILE] [--profile FILE]

Each side runs in a process of its own with a Ray of 2 CPUs. Both draw at random and reuse their workers; plain Ray's
settings are its defaults otherwise. The driver's CPU time counts all threads of its process.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SAMPLES = 10
CPUS = 2


class Gauge:
    """Samples the CPU time and the memory of this process as reports come in.

    Args:
        reports: How many there will be.
    """

    def __init__(self, reports: int) -> None:
        self._every = max(1, reports // SAMPLES)
        self._reports = 0
        self.samples: list[dict[str, float]] = []

    def tick(self) -> None:
        """A report came."""
        if self._reports % self._every == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            sample = {"reports": self._reports, "cpu_s": time.process_time(), "wall_s": time.monotonic()}
            self.samples.append({**sample, "resident_kb": pages * os.sysconf("SC_PAGE_SIZE") / 1024})
        self._reports += 1


class Watch:
    """A reporter that looks at its own process."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge

    def begin(self, plan: Any) -> None:
        """Nothing yet."""

    def event(self, event: Any) -> None:
        """Counts epochs."""
        if event.EVENT == "epoch":
            self._gauge.tick()

    def end(self) -> None:
        """Nothing more."""


def ours(trials: int, epochs: int, gauge: Gauge, storage: Path) -> None:
    """A run of this project."""
    from noop import experiment

    from tune_jobs import engine

    engine.run(experiment(trials, epochs), storage=storage, name="bench", reporter=Watch(gauge))


def plain_ray(trials: int, epochs: int, gauge: Gauge, storage: Path) -> None:
    """The same under plain Ray Tune, as its documentation says; workers are reused, else a trial takes 2 s."""
    import ray
    from noop import NoOp
    from ray import tune

    class Watching(tune.Callback):
        def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: Any, **info: Any) -> None:
            gauge.tick()

    ray.init(address="local", num_cpus=CPUS, include_dashboard=False)
    tune.Tuner(
        NoOp,
        param_space={
            "layers": tune.randint(1, 5),
            "units": tune.qrandint(16, 256, 16),
            "dropout": tune.uniform(0.0, 0.5),
            "learning_rate": tune.loguniform(1e-4, 1e-1),
            "optimizer": tune.choice(["adam", "sgd", "rmsprop"]),
            "batch_size": tune.choice([32, 64, 128]),
            "augment": tune.choice([False, True]),
        },
        tune_config=tune.TuneConfig(metric="val_loss", mode="min", num_samples=trials, reuse_actors=True),
        run_config=tune.RunConfig(
            name="bench", storage_path=str(storage), stop={"training_iteration": epochs}, callbacks=[Watching()]
        ),
    ).fit()


SIDES = {"tune-jobs": ours, "plain Ray Tune": plain_ray}


def measure(side: str, trials: int, epochs: int, profile: str | None) -> dict[str, Any]:
    """One side, in this process: what it took."""
    gauge, begun_s = Gauge(trials * epochs), time.monotonic()
    with tempfile.TemporaryDirectory() as storage, cProfile.Profile(time.process_time) as profiler:
        if profile is None:
            profiler.disable()
        SIDES[side](trials, epochs, gauge, Path(storage))
    if profile is not None:
        profiler.dump_stats(profile)
    return {"side": side, "wall_s": time.monotonic() - begun_s, "cpu_s": time.process_time(), "samples": gauge.samples}


def summary(result: dict[str, Any], trials: int, epochs: int) -> dict[str, Any]:
    """The figures of one side."""
    samples = result["samples"]

    def cost_ms(first: dict[str, float], last: dict[str, float]) -> float:
        return 1000 * (last["cpu_s"] - first["cpu_s"]) / (last["reports"] - first["reports"])

    grown_kb = samples[-1]["resident_kb"] - samples[1]["resident_kb"]
    reports = samples[-1]["reports"] - samples[1]["reports"]
    return {
        "side": result["side"],
        "wall_s": result["wall_s"],
        "cpu_s": result["cpu_s"],
        "first_tenth_ms": cost_ms(samples[1], samples[2]),
        "last_tenth_ms": cost_ms(samples[-2], samples[-1]),
        "kb_a_trial": grown_kb / (reports / epochs),
        "after_the_last_report_cpu_s": result["cpu_s"] - samples[-1]["cpu_s"],
        "trials": trials,
        "epochs": epochs,
    }


def main() -> None:
    """Measures the sides in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=1, help="how often each side runs, in turn")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--profile", help="where a profile of the driver goes (with --side)")
    parser.add_argument("--side", choices=SIDES, help="measure this one only, in this process")
    asked = parser.parse_args()
    if asked.side:
        print(json.dumps(measure(asked.side, asked.trials, asked.epochs, asked.profile)), file=sys.stderr)
        return
    figures = []
    for _ in range(asked.pairs):
        for side in SIDES:
            command = [sys.executable, __file__, "--side", side, *sys.argv[1:]]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
            figures.append(summary(json.loads(done.stderr.splitlines()[-1]), asked.trials, asked.epochs))
            print_row(figures[-1])
    by_side = {side: statistics.median(each["wall_s"] for each in figures if each["side"] == side) for side in SIDES}
    ratio = by_side["tune-jobs"] / by_side["plain Ray Tune"]
    print(f"wall time, tune-jobs / plain Ray Tune: {ratio:.2f}")
    if asked.json:
        asked.json.write_text(json.dumps({"figures": figures, "ratio": ratio}, indent=2) + "\n")


def print_row(figure: dict[str, Any]) -> None:
    """One line of the table."""
    print(
        f"{figure['side']:>15}: {figure['wall_s']:6.1f} s, driver {figure['cpu_s']:6.1f} CPU s, a report "
        f"{figure['first_tenth_ms']:.2f} ms at first and {figure['last_tenth_ms']:.2f} ms at last, "
        f"{figure['kb_a_trial']:.1f} KB a trial, at the end {figure['after_the_last_report_cpu_s']:.1f} CPU s",
        flush=True,
    )


if __name__ == "__main__":
    main()
