"""The seconds that a run takes besides its training: cold, warm by the command line, and warm in one process.

    python -m benchmarks.starts --before FOLDER [--rounds 3] [--only cold warm process equal] [--json FILE]

FOLDER holds the sources of an earlier commit. Runs of both commits, and warm and cold ones, take turns, and ratios are
taken within a round. CPU seconds are those of the whole machine, so they mean something only if nothing else runs.

- cold: `tune-jobs run digits_mlp` from the command to the prompt, now and before: at most 0.75 times as long.
- warm: from the command to its first reported epoch, with `tune-jobs warm` and without: at most 0.2 times as long.
- process: the same for the second run within `tune_jobs.warm()`, from the call.
- equal: `benchmarks.equal_work` with 12 configurations beside bare Keras (at most 0.55) and KerasTuner (0.3).
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import parser_of, write_figures
from benchmarks.programs import machine_cpu_s

HERE = Path(__file__).resolve().parents[1]
WARM = "TUNE_JOBS_WARM"
BARS = {"cold": 0.75, "warm": 0.2, "process": 0.2}
EQUAL = ["--configurations", "12", "--only", "this project", "bare Keras", "KerasTuner", "--rounds"]
TWO_RUNS = """
import sys, time
import tune_jobs
from tune_jobs.examples.digits_mlp import EXPERIMENT
small = EXPERIMENT.override(trials=4)
if __name__ == "__main__":
    with tune_jobs.warm():
        for name in ("first", "second"):
            begun_s = time.time()
            tune_jobs.run(small, storage=sys.argv[1], name=name)
            print(begun_s, flush=True)
"""


def command(folder: Path, storage: Path, name: str, *options: str, warm: str = "off") -> dict[str, float]:
    """Run digits_mlp by the command line of a commit.

    Args:
        folder: The folder of its sources.
        storage: The folder of all runs.
        name: The name of the run.
        options: Further options of the command.
        warm: The warm Ray that it may use, as TUNE_JOBS_WARM names it.

    Returns:
        The seconds until its first epoch was reported (``first``) and until its end (``all``), and the machine's CPU
        seconds meanwhile (``cpu``).
    """
    environment = {**os.environ, "PYTHONPATH": str(folder), WARM: warm}
    line = [sys.executable, "-m", "tune_jobs", "run", "digits_mlp", "--storage", str(storage), "--name", name, *options]
    spent_s, begun_s = machine_cpu_s(), time.time()
    subprocess.run(line, cwd=storage, env=environment, capture_output=True, check=True)
    return {
        "first": first_epoch(storage / name) - begun_s,
        "all": time.time() - begun_s,
        "cpu": machine_cpu_s() - spent_s,
    }


def first_epoch(run: Path) -> float:
    """Return the time at which the first epoch of a run was reported."""
    lines = map(json.loads, (run / "journal.jsonl").read_text().splitlines())
    return next(float(line["time_s"]) for line in lines if line["event"] == "epoch")


def cold(storage: Path, number: int, before: Path | None) -> dict[str, Any]:
    """Run the whole experiment cold: now, and by the commit before."""
    figures: dict[str, Any] = {"now": command(HERE, storage, f"now-{number}")}
    if before is not None:
        figures["before"] = command(before, storage, f"before-{number}")
        figures["ratio"] = figures["now"]["all"] / figures["before"]["all"]
    return figures


def warm(storage: Path, number: int, before: Path | None) -> dict[str, Any]:
    """Run a small part of the experiment cold, and twice with a warm Ray. The second one counts."""
    few = ("--trials", "4")
    figures: dict[str, Any] = {"cold": command(HERE, storage, f"cold-{number}", *few)}
    if before is not None:
        figures["cold before"] = command(before, storage, f"cold-before-{number}", *few)
    name = secrets.token_hex(8)
    keep = [sys.executable, "-m", "tune_jobs", "warm"]
    environment = {**os.environ, "PYTHONPATH": str(HERE), WARM: name}
    subprocess.run(keep, cwd=storage, env=environment, capture_output=True, check=True)
    try:
        for turn in ("first", "second"):
            figures[turn] = command(HERE, storage, f"warm-{turn}-{number}", *few, warm=name)
    finally:
        subprocess.run([*keep, "--stop"], cwd=storage, env=environment, capture_output=True, check=True)
    return with_ratios(figures)


def process(storage: Path, number: int, before: Path | None) -> dict[str, Any]:
    """Run a small part of the experiment cold, and twice within one process that keeps a Ray warm."""
    few = ("--trials", "4")
    figures: dict[str, Any] = {"cold": command(HERE, storage, f"cold-process-{number}", *few)}
    if before is not None:
        figures["cold before"] = command(before, storage, f"cold-process-before-{number}", *few)
    own = storage / f"process-{number}"
    own.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(HERE), WARM: "off"}
    line = [sys.executable, "-c", TWO_RUNS, str(own)]
    ended = subprocess.run(line, cwd=storage, env=environment, capture_output=True, text=True, check=True)
    begun = [float(one) for one in ended.stdout.split()[-2:]]
    for name, begun_s in zip(("first", "second"), begun, strict=True):
        figures[name] = {"first": first_epoch(own / name) - begun_s}
    return with_ratios(figures)


def with_ratios(figures: dict[str, Any]) -> dict[str, Any]:
    """Return figures with the ratio of the second run's first epoch to that of a cold run, now and before."""
    second = figures["second"]["first"]
    ratios = {"ratio": second / figures["cold"]["first"]}
    if "cold before" in figures:
        ratios["ratio to the cold run before"] = second / figures["cold before"]["first"]
    return {**figures, **ratios}


def table(kind: str, rounds: list[dict[str, Any]]) -> str:
    """Return the medians of one kind of start, and its ratios round by round."""
    lines = [f"{kind}:"]
    for name, shown in rounds[0].items():
        if isinstance(shown, dict):
            parts = {part: statistics.median(each[name][part] for each in rounds) for part in shown}
            lines.append(f"  {name:>14} " + "  ".join(f"{part} {value:6.2f} s" for part, value in parts.items()))
        else:
            ratios = [each[name] for each in rounds]
            each = " ".join(f"{ratio:.2f}" for ratio in ratios)
            lines.append(f"  {name}: {statistics.median(ratios):.2f} ({each}); at most {BARS[kind]}")
    return "\n".join(lines)


def main() -> None:
    """Measure in rounds, and print a table of each kind."""
    parser = parser_of(__doc__)
    parser.description = __doc__.partition("\n\n    ")[0] if __doc__ else None
    parser.add_argument("--before", type=Path, help="the folder of an earlier commit's sources")
    parser.add_argument("--rounds", type=int, default=3)
    kinds = {"cold": cold, "warm": warm, "process": process}
    parser.add_argument("--only", nargs="+", choices=[*kinds, "equal"], default=[*kinds, "equal"])
    options = parser.parse_args()
    figures: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="starts-", ignore_cleanup_errors=True) as storage:
        for kind in [one for one in kinds if one in options.only]:
            figures[kind] = [kinds[kind](Path(storage), number, options.before) for number in range(options.rounds)]
            print(table(kind, figures[kind]), flush=True)
    write_figures(options, figures)
    if "equal" in options.only:
        subprocess.run([sys.executable, "-m", "benchmarks.equal_work", *EQUAL, str(options.rounds)], check=True)


if __name__ == "__main__":
    main()
