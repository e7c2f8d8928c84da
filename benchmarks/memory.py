"""The memory of a run: what driver and workers take for themselves, beside the data that they share.

    python -m benchmarks.memory [--mib 381] [--ways plain split …] [--before FOLDER] [--json FILE]
    python -m benchmarks.memory --mapped --mib 3072
    python -m benchmarks.memory --growth [--trials 300]

A small network is trained on --mib of data, in each of the ways below, and the peak of every process is measured: its
anonymous memory, so that neither the object store nor mapped files count. The driver may take 1.5 times the data and
400 MiB. A worker may take 100 MiB more than plain Keras, which trains the same model on 1,000 examples.

- plain: ``load_data`` returns arrays that it has read from files;
- split: it divides them by ``trainables.split``;
- fraction: the experiment trains on half of them;
- weights: the classes have weights;
- turned: x is a transposed view, as images of PyTorch are for Keras;
- augment: there is an augmentation, so that the batches come from a pipeline;
- evaluate, refit: the run ``plain`` is evaluated, and its best configuration trained again, in the driver alone.

With --mapped, two workers train on mapped files of 3 MiB and of --mib, and on the latter in memory. All processes
together may take 0.5 GiB more with the large files than with the small ones, and 1.2 times the time of the data in
memory. With --growth, a worker trains one trial after another, and may be 1.05 times as large as after the tenth.

``--before`` names a folder with another state of this repository, which does the same (``git worktree add``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import parser_of, write_figures
from benchmarks.memory_samples import MIB, Peak, sampled

HERE = Path(__file__).resolve().parent
WAYS = ("plain", "split", "fraction", "weights", "turned", "augment", "evaluate", "refit")
FEATURES = 1000
ALLOWED_MIB = {"driver": 400.0, "worker": 100.0}
_CHUNK = 10_000
HEADER = (
    f"{'state':>7} {'way':>9} {'driver':>8} {'factor':>7} {'worker':>8} {'beside':>8} {'together':>9} {'seconds':>8}"
)


def write_data(folder: Path, data_bytes: int) -> None:
    """Write x and y of three splits, of 8, 1 and 1 tenths of the bytes, in pieces."""
    generator = np.random.default_rng(0)
    examples = data_bytes // (4 * FEATURES)
    for name, count in {"train": examples * 8 // 10, "validation": examples // 10, "test": examples // 10}.items():
        x = np.lib.format.open_memmap(folder / f"{name}_x.npy", "w+", np.float32, (count, FEATURES))
        for begin in range(0, count, _CHUNK):
            x[begin : begin + _CHUNK] = generator.random((min(_CHUNK, count - begin), FEATURES), np.float32)
        x.flush()
        np.save(folder / f"{name}_y.npy", generator.integers(0, 10, count).astype(np.int32))


def watched(order: dict[str, Any], code: Path) -> tuple[Peak, float]:
    """Let a state of the code carry out an order, and return its peaks of memory and its seconds.

    Raises:
        RuntimeError: It failed.
    """
    path = Path(order["folder"], f"{order['way']}.json")
    path.write_text(json.dumps(order))
    environment = {**os.environ, "PYTHONPATH": str(code), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    log = path.with_suffix(".log")
    with log.open("w") as stream:
        command = [sys.executable, str(HERE / "peers" / "memory_run.py"), str(path)]
        child = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
        with sampled(child.pid) as peak:
            status = child.wait()
    if status:
        raise RuntimeError(f"{order['way']} failed:\n{log.read_text()[-4000:]}")
    return peak, float(json.loads(path.with_suffix(".out").read_text())["seconds"])


def measured(way: str, order: dict[str, Any], code: Path) -> dict[str, Any]:
    """Return the figures of one way: the peaks in MiB, and the seconds."""
    peak, seconds = watched({**order, "way": way}, code)
    roles = sorted(set(peak.roles.values()))
    peaks = {role: [round(amount / MIB, 1) for amount in peak.of(role)] for role in roles}
    return {"way": way, "seconds": round(seconds, 1), "together": round(peak.together_bytes / MIB, 1), "peaks": peaks}


def line(figures: dict[str, Any], data_mib: float, bare_mib: float) -> str:
    """Return a way's figures as a line of the table."""
    driver, workers = figures["peaks"]["driver"][0], figures["peaks"].get("worker", [])
    beside = f"{max(workers) - bare_mib:8.0f}" if workers else f"{'-':>8}"
    return (
        f"{figures['state']:>7} {figures['way']:>9} {driver:8.0f} {(driver - ALLOWED_MIB['driver']) / data_mib:7.2f} "
        f"{max(workers, default=0):8.0f} {beside} {figures['together']:9.0f} {figures['seconds']:8.1f}"
    )


def compare_ways(options: argparse.Namespace, states: dict[str, Path], folder: Path) -> dict[str, Any]:
    """Measure every way in each state of the code, and print the table."""
    write_data(folder, options.mib * MIB)
    order = order_of(options, folder)
    bare = measured("bare", {**order, "folder": str(folder)}, HERE.parent)
    bare_mib = bare["peaks"]["driver"][0]
    print(f"{options.mib} MiB of data; plain Keras on {order['bare_examples']:,} examples: {bare_mib:.0f} MiB")
    print(HEADER)
    figures = []
    for state, code in states.items():
        own = folder / state
        own.mkdir()
        for way in options.ways:
            figures.append({"state": state, **measured(way, {**order, "folder": str(own)}, code)})
            print(line(figures[-1], options.mib, bare_mib), flush=True)
    return {"mib": options.mib, "bare": bare, "ways": figures}


def compare_mapped(options: argparse.Namespace, states: dict[str, Path], folder: Path) -> dict[str, Any]:
    """Measure runs on mapped files: a few MiB, then all; and the same in memory. Print what they take more."""
    figures = []
    print(HEADER)
    for state, code in states.items():
        for way, mib in {"mapped-small": 3, "mapped": options.mib, "plain": options.mib}.items():
            with tempfile.TemporaryDirectory(dir=folder) as data:
                write_data(Path(data), mib * MIB)
                own = {**order_of(options, Path(data)), "folder": data}
                figures.append({"state": state, **measured(way, own, code)})
            print(line(figures[-1], mib, 0.0), flush=True)
        small, mapped, plain = figures[-3:]
        more, ratio = mapped["together"] - small["together"], mapped["seconds"] / plain["seconds"]
        print(f"{state:>7}: {more:.0f} MiB more than with 3 MiB of data; {ratio:.2f} x the time of the same in memory")
    return {"mib": options.mib, "ways": figures}


def measure_growth(options: argparse.Namespace, states: dict[str, Path], folder: Path) -> dict[str, Any]:
    """Let a worker train one trial after another, mostly of new architectures, and print how it grows."""
    figures = []
    for state, code in states.items():
        own = folder / state
        own.mkdir()
        order = {"folder": str(own), "trials": options.trials, "widths": list(range(16, 256)), "way": "growth"}
        watched(order, code)
        amounts = json.loads((own / "growth.out").read_text())["result"]
        tenth, most = amounts[9], max(amounts[9:])
        figures.append({"state": state, "own_bytes": amounts})
        print(
            f"{state:>7}: {tenth / MIB:.0f} MiB after 10 trials, {most / MIB:.0f} at most: {most / tenth:.3f} x",
            flush=True,
        )
    return {"growth": figures}


def order_of(options: argparse.Namespace, data: Path) -> dict[str, Any]:
    """Return the order that all ways have in common."""
    return {
        "data": str(data),
        "features": FEATURES,
        "units": [32, 48, 64, 96],
        "epochs": options.epochs,
        "workers": options.workers,
        "bare_examples": 1000,
    }


def main() -> None:
    """Measure what was asked for."""
    parser = parser_of(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--mapped", action="store_true", help="measure runs on mapped files")
    parser.add_argument("--growth", action="store_true", help="measure how a worker grows from trial to trial")
    parser.add_argument("--mib", type=int, default=381)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--before", type=Path, help="another state of this repository")
    parser.add_argument("--folder", type=Path, help="the folder for the data, deleted at the end")
    options = parser.parse_args()
    states = {"before": options.before.resolve()} if options.before else {}
    states["now"] = HERE.parent
    measure = compare_mapped if options.mapped else measure_growth if options.growth else compare_ways
    with tempfile.TemporaryDirectory(prefix="memory-", dir=options.folder) as folder:
        write_figures(options, measure(options, states, Path(folder)))


if __name__ == "__main__":
    main()
