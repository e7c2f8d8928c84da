"""The cost of a leaderboard: a journal of many trials becomes a table; and the cost of the whole command.

    python -m benchmarks.leaderboard [--trials 10000] [--epochs 10] [--json FILE] [--profile FILE]

Times are CPU seconds of one process, because a busy machine changes them little.
"""

from __future__ import annotations

import cProfile
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import parser_of, write_figures


def make(storage: Path, trials: int, epochs: int) -> Path:
    """Write the folder of a run that did not take place, and return it."""
    import numpy as np

    from benchmarks.noop import experiment
    from tune_jobs.engine.run_folder.create import create_folder
    from tune_jobs.results import EpochReported, RunEnded, RunStarted, Status, TrialEnded, TrialStarted
    from tune_jobs.results.journal.lines import encode

    declared, rng = experiment(trials, epochs), np.random.default_rng(0)
    folder = create_folder(storage, "large", declared, "large")
    lines = [RunStarted(time_s=0.0, cpus=2, gpus=0, max_concurrent_trials=2)]
    for trial in range(trials):
        config = declared.space.sample(rng)
        lines.append(TrialStarted(time_s=float(trial), trial=trial, config=config, node="a-machine"))
        for epoch, value in enumerate(rng.random(epochs), start=1):
            metrics = {"loss": value + 0.1, "accuracy": 1 - value, "val_loss": value + 0.2, "val_accuracy": 0.9 - value}
            report = {"time_s": trial + epoch / 100, "trial": trial, "epoch": epoch, "seconds": 0.01}
            lines.append(EpochReported(**report, metrics={name: float(each) for name, each in metrics.items()}))
        ended = {"time_s": trial + 1.0, "trial": trial, "reason": f"all {epochs} epochs", "error": None}
        lines.append(TrialEnded(**ended, status=Status.COMPLETED))
    lines.append(RunEnded(time_s=trials + 1.0, reason="all trials", error=None))
    (folder / "journal.jsonl").write_bytes(b"".join(map(encode, lines)))
    return folder


def in_this_process(folder: Path, profile: str | None) -> float:
    """Return the CPU seconds of ``Run.leaderboard`` without its imports."""
    import pandas as pd  # noqa: F401

    from tune_jobs.results.leaderboard import leaderboard  # noqa: F401
    from tune_jobs.results.run import Run

    run = Run(folder)
    begun_s = time.process_time()
    with cProfile.Profile() as profiler:
        if profile is None:
            profiler.disable()
        run.leaderboard()
    took_s = time.process_time() - begun_s
    if profile is not None:
        profiler.dump_stats(profile)
    return took_s


def whole_command(folder: Path) -> float:
    """Return the CPU seconds of the command ``tune-jobs leaderboard``, which prints all rows."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = "from tune_jobs.cli.main import main; main()"
    subprocess.run(
        [sys.executable, "-c", program, "leaderboard", str(folder)],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure a journal of the size that was asked for, and a small one."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--profile", help="the file for a profile of the leaderboard")
    options = parser.parse_args()
    figures = []
    for trials in (options.trials, 30):
        with tempfile.TemporaryDirectory() as storage:
            folder = make(Path(storage), trials, options.epochs)
            size_mb = (folder / "journal.jsonl").stat().st_size / 2**20
            table_s = in_this_process(folder, options.profile if trials == options.trials else None)
            command_s = whole_command(folder)
        figures.append({"trials": trials, "epochs": trials * options.epochs, "journal_mb": size_mb})
        figures[-1] |= {"leaderboard_cpu_s": table_s, "command_cpu_s": command_s}
        print(
            f"{trials:6,} trials, {trials * options.epochs:7,} epochs, {size_mb:6.1f} MB: "
            f"leaderboard {table_s:.2f} CPU s, whole command {command_s:.2f} CPU s"
        )
    write_figures(options, figures)


if __name__ == "__main__":
    main()
