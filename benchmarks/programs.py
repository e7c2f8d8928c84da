"""Runs the programs of peers/, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def run(program: Sequence[str], order: dict[str, Any], timeout_s: float | None = None) -> dict[str, Any]:
    """Has a program carry out an order, in a folder of its own; ends it where it takes too long.

    Args:
        program: A file of peers/, and its options.
        order: What it reads; ``folder`` and ``begun_s``, the unix time of its start, are added.
        timeout_s: None: it may take as long as it likes.

    Returns:
        What it wrote, the wall time of its process (``seconds``), and the CPU time that the whole machine spent
        meanwhile (``machine_cpu_s``): Ray's workers are nobody's children that the system would add up.

    Raises:
        RuntimeError: It failed.
        subprocess.TimeoutExpired: It took too long.
    """
    file, *options = program
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "work.json")
        environment = {
            **os.environ,
            "PYTHONPATH": str(HERE.parent),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
        }
        command = [sys.executable, "-m", f"benchmarks.peers.{Path(file).stem}", str(path), *options]
        path.write_text(json.dumps({**order, "folder": folder, "begun_s": time.time()}))
        spent_s, begun_s = _machine_cpu_s(), time.monotonic()
        child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=timeout_s)
        seconds = time.monotonic() - begun_s
        if child.returncode:
            raise RuntimeError(f"{' '.join(program)} failed:\n{child.stdout[-2000:]}\n{child.stderr[-4000:]}")
        told = json.loads(path.with_suffix(".out").read_text())
        return {"seconds": seconds, "machine_cpu_s": _machine_cpu_s() - spent_s, **told}


def _machine_cpu_s() -> float:
    """CPU seconds that all processes together had since the machine started (user, nice, system)."""
    user, nice, system = Path("/proc/stat").read_text().split(maxsplit=4)[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")
