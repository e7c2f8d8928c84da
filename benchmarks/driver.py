"""The driver's cost: many short trials that train nothing, here and under plain Ray Tune with its default loggers.

    python -m benchmarks.driver [--trials 2000] [--epochs 5] [--pairs 1] [--limit-s 600] [--json FILE]
    python -m benchmarks.driver --side tune-jobs --profile FILE

Each side runs in its own process with a Ray of 2 CPUs. Both use random search, reuse their workers and save nothing.
All other settings of plain Ray are its defaults. The driver's CPU time includes all threads of its process. A side that
exceeds the limit is stopped; its figures are then those of the part that it did.
"""

from __future__ import annotations

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

from benchmarks.figures import parser_of, write_figures

SAMPLES = 20
SAMPLE = "sample: "
CPUS = 2


class Gauge:
    """A sampler of this process's CPU time and memory, driven by reports. It writes each sample as a line of stderr.

    Args:
        reports: The expected number of reports.
    """

    def __init__(self, reports: int) -> None:
        self._every = max(1, reports // SAMPLES)
        self._last = reports - 1
        self._reports = 0
        self._screen = os.dup(2)  # a run redirects descriptor 2 into its log

    def tick(self) -> None:
        """Count a report, and take a sample if it is due."""
        if self._reports % self._every == 0 or self._reports == self._last:
            self.take_sample()
        self._reports += 1

    def take_sample(self, **more: Any) -> None:
        """Take a sample now."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        sample = {"reports": self._reports, "cpu_s": time.process_time(), "wall_s": time.monotonic()}
        line = {**sample, "resident_kb": pages * os.sysconf("SC_PAGE_SIZE") / 1024, **more}
        os.write(self._screen, f"{SAMPLE}{json.dumps(line)}\n".encode())


class Watch:
    """A reporter that samples its own process."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge

    def begin(self, plan: Any) -> None:
        """Do nothing."""

    def event(self, event: Any) -> None:
        """Count an epoch."""
        if event.EVENT == "epoch":
            self._gauge.tick()

    def end(self) -> None:
        """Do nothing."""


def ours(trials: int, epochs: int, gauge: Gauge, storage: Path) -> None:
    """Run the trials with this project."""
    from benchmarks.noop import experiment
    from tune_jobs import engine

    engine.run(experiment(trials, epochs), storage=storage, name="bench", reporter=Watch(gauge))


def plain_ray(trials: int, epochs: int, gauge: Gauge, storage: Path) -> None:
    """Run the trials with plain Ray Tune, as its documentation says. Without reused workers a trial would take 2 s."""
    import ray
    from ray import tune

    from benchmarks.noop import NoOp

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
            name="bench",
            storage_path=str(storage),
            stop={"training_iteration": epochs},
            callbacks=[Watching()],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # there is nothing to save
        ),
    ).fit()


SIDES = {"tune-jobs": ours, "plain Ray Tune": plain_ray}


def measure(side: str, trials: int, epochs: int, profile: str | None) -> None:
    """Run one side in this process."""
    gauge = Gauge(trials * epochs)
    with tempfile.TemporaryDirectory() as storage, cProfile.Profile(time.process_time) as profiler:
        if profile is None:
            profiler.disable()
        SIDES[side](trials, epochs, gauge, Path(storage))
    if profile is not None:
        profiler.dump_stats(profile)
    gauge.take_sample(ended=True)


def in_its_own_process(side: str, trials: int, epochs: int, limit_s: float) -> list[dict[str, Any]]:
    """Run one side in its own process. Return its samples; the last one is its end if it ended within the limit."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.driver",
        "--side",
        side,
        "--trials",
        str(trials),
        "--epochs",
        str(epochs),
    ]
    begun_s = time.monotonic()
    with tempfile.TemporaryFile("w+") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            process.terminate()  # its Ray ends with it
            process.wait()
        stderr.seek(0)
        lines = stderr.read().splitlines()
    samples = [json.loads(line.removeprefix(SAMPLE)) for line in lines if line.startswith(SAMPLE)]
    if len(samples) < 3:
        raise RuntimeError("\n".join(lines[-20:]))
    return [{**sample, "wall_s": sample["wall_s"] - begun_s} for sample in samples]


def summary(side: str, samples: list[dict[str, Any]], trials: int, epochs: int) -> dict[str, Any]:
    """Return the figures of one side."""
    ended, last = samples[-1].get("ended", False), samples[-1]
    steady = samples[1:-1] if ended else samples[1:]

    def cost_ms(first: dict[str, float], last: dict[str, float]) -> float:
        return 1000 * (last["cpu_s"] - first["cpu_s"]) / (last["reports"] - first["reports"])

    grown_kb = steady[-1]["resident_kb"] - steady[0]["resident_kb"]
    return {
        "side": side,
        "trials": trials,
        "epochs": epochs,
        "ended": ended,
        "reports": last["reports"],
        "wall_s": last["wall_s"],
        "cpu_s": last["cpu_s"],
        "first_ms": cost_ms(*steady[:2]),
        "last_ms": cost_ms(*steady[-2:]),
        "kb_a_trial": grown_kb / ((steady[-1]["reports"] - steady[0]["reports"]) / epochs),
        "after_the_last_report_cpu_s": last["cpu_s"] - steady[-1]["cpu_s"],
    }


def main() -> None:
    """Measure the sides in turn."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=1, help="runs of each side, in turn")
    parser.add_argument("--limit-s", type=float, default=600, help="longest time of a side, in seconds")
    parser.add_argument("--profile", help="the file for a profile of the driver (with --side)")
    parser.add_argument("--side", choices=SIDES, help="measure only this side, in this process")
    options = parser.parse_args()
    if options.side:
        measure(options.side, options.trials, options.epochs, options.profile)
        return
    figures = []
    for _ in range(options.pairs):
        for side in SIDES:
            samples = in_its_own_process(side, options.trials, options.epochs, options.limit_s)
            figures.append(summary(side, samples, options.trials, options.epochs))
            print_row(figures[-1])
    by_side = {side: statistics.median(each["wall_s"] for each in figures if each["side"] == side) for side in SIDES}
    ratio = by_side["tune-jobs"] / by_side["plain Ray Tune"]
    print(f"wall time, tune-jobs / plain Ray Tune: {ratio:.2f}")
    write_figures(options, {"figures": figures, "ratio": ratio})


def print_row(figure: dict[str, Any]) -> None:
    """Print one line of the table."""
    unfinished = "" if figure["ended"] else f" (ended after {figure['reports']:,} reports)"
    print(
        f"{figure['side']:>15}: {figure['wall_s']:6.1f} s{unfinished}, driver {figure['cpu_s']:6.1f} CPU s, a report "
        f"{figure['first_ms']:.2f} ms at first and {figure['last_ms']:.2f} ms at last, "
        f"{figure['kb_a_trial']:.1f} KB a trial, at the end {figure['after_the_last_report_cpu_s']:.1f} CPU s",
        flush=True,
    )


if __name__ == "__main__":
    main()
