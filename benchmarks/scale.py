"""Growth of the driver's work and of the journal with the number of workers, trials and epochs.

    python -m benchmarks.scale [--workers 1,4,16,64] [--check 32] [--epochs-a-trial 5] [--json FILE]
    python -m benchmarks.scale --crowd --workers 4,64,256 --check 512 [--rate 100]

Each run has the number of workers that was asked for, on any machine: a trial needs a small part of a CPU and sleeps
through its epochs, so long that all workers together report 25 times a second. Least squares divide the CPU time of the
driver's process among reports and trials. The result is checked at a number of workers that the fit did not use.

With ``--crowd``, two processes hold all workers: see ``crowd``. A machine of 2 cores has no memory for 512 processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from typing import Any

from benchmarks.figures import parser_of, write_figures

REPORTS_A_SECOND = 25.0
TRIALS_A_WORKER = 4


def measure(
    workers: int,
    epochs: int,
    rate: float = REPORTS_A_SECOND,
    *,
    trials_a_worker: int = TRIALS_A_WORKER,
    crowd: bool = False,
) -> dict[str, Any]:
    """Run once in this process. Measure from the moment when all workers have reported to the last report."""
    from benchmarks.noop import experiment, space
    from search_spaces import Fixed
    from tune_jobs import Resources, engine

    if crowd:
        from benchmarks import crowd as crowds
        from tune_jobs.engine.on_ray import workers as workers_of_runs

        workers_of_runs.RayWorkers = crowds.CrowdWorkers  # type: ignore[misc]
    sleep_s = workers / rate
    trials = max(40, trials_a_worker * workers)
    watch = SteadyState(workers)
    declared = experiment(
        trials,
        epochs,
        space=space(sleep_s=Fixed(sleep_s)),
        resources=Resources(cpus=0.002 if crowd else 1 / 64),
        max_concurrent_trials=workers,
    )
    with tempfile.TemporaryDirectory() as storage:
        run = engine.run(declared, storage=storage, name="scale", reporter=watch)
        journal_bytes = (run.folder / "journal.jsonl").stat().st_size
    if not watch.samples:  # their processes start one after another, and the first have trained everything meanwhile
        raise SystemExit(
            f"The {workers} workers never trained all at a time: ask for more epochs or --trials-a-worker."
        )
    first, last = watch.samples[0], watch.samples[-1]
    return {
        "workers": workers,
        "trials": last["trials"] - first["trials"],
        "reports": last["reports"] - first["reports"],
        "cpu_s": last["cpu_s"] - first["cpu_s"],
        "wall_s": last["wall_s"] - first["wall_s"],
        "all_trials": trials,
        "all_reports": trials * epochs,
        "journal_bytes": journal_bytes,
    }


class SteadyState:
    """A reporter that samples its own process from the moment when all workers have reported.

    Args:
        workers: The number of workers.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._running: set[int] = set()
        self._counts = {"trials": 0, "reports": 0}
        self.samples: list[dict[str, float]] = []

    def begin(self, plan: Any) -> None:
        """Do nothing."""

    def event(self, event: Any) -> None:
        """Count an event, and read the clocks."""
        if event.EVENT == "trial_started":
            self._running.add(event.trial)
        elif event.EVENT == "trial_ended":
            self._running.discard(event.trial)
            self._counts["trials"] += 1
        elif event.EVENT == "epoch":
            self._counts["reports"] += 1
            if self.samples or len(self._running) == self._workers:
                self.samples.append({**self._counts, "cpu_s": time.process_time(), "wall_s": time.monotonic()})

    def end(self) -> None:
        """Do nothing."""


def fit(measured: list[dict[str, Any]]) -> dict[str, float]:
    """Fit the driver's CPU seconds and the journal's bytes by non-negative least squares.

    Each report has a fixed cost, and a cost for each worker that the driver waits for.
    """
    import numpy as np
    from scipy.optimize import nnls

    work = np.array([_work(each["reports"], each["trials"], each["workers"]) for each in measured], float)
    (report_s, worker_s, trial_s), _ = nnls(work, np.array([each["cpu_s"] for each in measured]))
    lines = np.array([[each["all_reports"], each["all_trials"]] for each in measured], float)
    (report_bytes, trial_bytes), _ = nnls(lines, np.array([each["journal_bytes"] for each in measured]))
    return {
        "cpu_s_a_report": report_s,
        "cpu_s_a_report_and_worker": worker_s,
        "cpu_s_a_trial": trial_s,
        "journal_bytes_a_report": report_bytes,
        "journal_bytes_a_trial": trial_bytes,
    }


def predicted(model: dict[str, float], reports: float, trials: float, workers: int) -> float:
    """Return the driver's CPU seconds that the model predicts for an amount of work."""
    costs = (model["cpu_s_a_report"], model["cpu_s_a_report_and_worker"], model["cpu_s_a_trial"])
    return sum(amount * cost for amount, cost in zip(_work(reports, trials, workers), costs, strict=True))


def _work(reports: float, trials: float, workers: int) -> tuple[float, float, float]:
    return reports, reports * workers, trials


def main() -> None:
    """Measure each number of workers in its own process, fit the model, and check it."""
    parser = parser_of(__doc__)
    parser.add_argument("--workers", default="1,4,16,64", help="numbers of workers to fit the model to")
    parser.add_argument("--check", type=int, default=32, help="the number of workers to check it at")
    parser.add_argument(
        "--epochs-a-trial", default="5,20", help="epochs of a trial; two numbers separate the two costs"
    )
    parser.add_argument(
        "--one", nargs=2, type=int, help="measure only this number of workers and of epochs, in this process"
    )
    parser.add_argument("--crowd", action="store_true", help="let two processes hold all workers")
    parser.add_argument("--rate", type=float, default=REPORTS_A_SECOND, help="reports a second of all workers together")
    parser.add_argument("--trials-a-worker", type=int, default=TRIALS_A_WORKER, help="trials for each worker")
    options = parser.parse_args()
    if options.one:
        more_trials = {"trials_a_worker": options.trials_a_worker, "crowd": options.crowd}
        print(json.dumps(measure(*options.one, options.rate, **more_trials)), file=sys.stderr)
        return
    epochs = [int(each) for each in options.epochs_a_trial.split(",")]
    trials = ["--trials-a-worker", str(options.trials_a_worker)]
    more = ["--rate", str(options.rate), *trials, *(["--crowd"] if options.crowd else [])]
    seen = [in_its_own_process(int(workers), each, more) for workers in options.workers.split(",") for each in epochs]
    model, unseen = fit(seen), in_its_own_process(options.check, epochs[0], more)
    guess_s = predicted(model, unseen["reports"], unseen["trials"], unseen["workers"])
    print("model: " + ", ".join(f"{name} {value:.4g}" for name, value in model.items()))
    print(f"check: {options.check} workers, {guess_s:.2f} CPU s predicted, {unseen['cpu_s']:.2f} measured")
    write_figures(options, {"seen": seen, "model": model, "check": unseen, "guess_s": guess_s})


def in_its_own_process(workers: int, epochs: int, options: list[str]) -> dict[str, Any]:
    """Measure in a process of its own, and print a row."""
    command = [sys.executable, "-m", "benchmarks.scale", "--one", str(workers), str(epochs), *options]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    figure: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    busy = figure["cpu_s"] / figure["wall_s"]
    print(
        f"{workers:4} workers, {figure['reports']:5} reports, {figure['trials']:4} trials, {figure['wall_s']:6.1f} s: "
        f"driver {figure['cpu_s']:6.2f} CPU s ({busy:.0%} of a core), journal {figure['journal_bytes']:,} bytes",
        flush=True,
    )
    return figure


if __name__ == "__main__":
    main()
