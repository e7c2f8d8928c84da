"""The same trainings by this project and by its peers, in turn; wall time of whole commands.

    KERAS_HOME=… python benchmarks/equal_work.py [--configurations 12] [--epochs 4] [--rounds 3] [--only NAME …]

Every program of peers/ trains the same configurations (work.py) on the same data for as many epochs: Fashion-MNIST
(54,000 examples) where KERAS_HOME has it, else scikit-learn's digits. All of them run several steps to a call and
validate on batches of 1,024. Those that train one after another have all cores; those that train side by side have one
thread a process. Each round runs all of them, this project first, so that what slows the machine slows all; ratios are
taken within a round. The peers are installed by `pip install -e .[bench]`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import work

HERE = Path(__file__).resolve().parent
PROGRAMS = {
    "this project": ["this_project.py"],
    "bare Keras": ["bare_keras.py"],
    "KerasTuner": ["kerastuner.py"],
    "Optuna": ["optuna_alone.py"],
    "Ray Tune, workers reused": ["ray_tune.py", "--reuse"],
    "Ray Tune": ["ray_tune.py"],
}


def measured(name: str, asked: dict[str, Any]) -> dict[str, float]:
    """Seconds of one program, and what came of it.

    Raises:
        RuntimeError: It failed.
    """
    file, *options = PROGRAMS[name]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        order = Path(folder, "work.json")
        order.write_text(json.dumps({**asked, "folder": folder}))
        paths = os.pathsep.join([str(HERE), str(HERE.parent)])
        environment = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        command = [sys.executable, str(HERE / "peers" / file), str(order), *options]
        begun_s = time.monotonic()
        child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - begun_s
        if child.returncode:
            raise RuntimeError(f"{name} failed:\n{child.stdout[-2000:]}\n{child.stderr[-4000:]}")
        return {"seconds": seconds, **json.loads(order.with_suffix(".out").read_text())}


def table(rounds: list[dict[str, Any]]) -> str:
    """Medians, and this project's time as a part of each peer's, round by round."""
    lines = [f"{'':>26} {'seconds':>9} {'ratio':>7}  {'ratios by round':<24} trials  best"]
    for name in rounds[0]:
        seconds = [each[name]["seconds"] for each in rounds]
        ratios = [each["this project"]["seconds"] / each[name]["seconds"] for each in rounds if "this project" in each]
        middle = f"{statistics.median(ratios):7.2f}" if ratios else f"{'-':>7}"
        each = " ".join(f"{ratio:.2f}" for ratio in ratios)
        last = rounds[-1][name]
        lines.append(
            f"{name:>26} {statistics.median(seconds):9.1f} {middle}  {each:<24} {last['trials']:6} {last['best']:.4f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Runs the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--configurations", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--data", choices=sorted(work.VALIDATION_EXAMPLES))
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--json", type=Path, help="where the figures go")
    chosen = parser.parse_args()
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    there = next((home / "datasets").glob("fashion-mnist/*"), None) if (home / "datasets").is_dir() else None
    asked = {
        "configurations": work.configurations(chosen.configurations),
        "epochs": chosen.epochs,
        "cores": chosen.cores,
        "data": chosen.data or ("fashion_mnist" if there else "digits"),
    }
    print(f"{chosen.configurations} configurations x {chosen.epochs} epochs, {asked['data']}, {chosen.cores} cores")
    rounds: list[dict[str, Any]] = []
    for number in range(chosen.rounds):
        rounds.append({})
        for name in chosen.only:
            rounds[-1][name] = measured(name, asked)
            print(f"round {number + 1}: {name} {rounds[-1][name]['seconds']:.1f} s", flush=True)
        if chosen.json:
            figures = {"machine": platform.platform(), "asked": asked, "rounds": rounds}
            chosen.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(table(rounds))


if __name__ == "__main__":
    main()
