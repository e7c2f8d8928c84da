"""The programs of peers/, each run in its own process."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
WARM, OFF = "TUNE_JOBS_WARM", "off"


def environment() -> dict[str, str]:
    """Return the variables of every program: it finds this project, has no GPU, and TensorFlow is silent."""
    own = {"PYTHONPATH": str(HERE.parent), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return {**os.environ, **own}


def run(
    program: Sequence[str], order: dict[str, Any], timeout_s: float | None = None, warm: str = OFF
) -> dict[str, Any]:
    """Run a program in its own folder, and stop it if it takes too long.

    Args:
        program: The name of a file of peers/, and its options.
        order: The JSON that the program reads. ``folder`` and ``begun_s``, the Unix time of its start, are added.
        timeout_s: Seconds after which the program is stopped; None: never.
        warm: The warm Ray that it may use, as TUNE_JOBS_WARM names it.

    Returns:
        The program's output, the wall time of its process (``seconds``), and the CPU time of the whole machine
        meanwhile (``machine_cpu_s``). The system does not add up the CPU time of Ray's workers, because they are no
        children of the program.

    Raises:
        RuntimeError: The program failed.
        subprocess.TimeoutExpired: The program took too long.
    """
    file, *options = program
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, "work.json")
        command = [sys.executable, "-m", f"benchmarks.peers.{Path(file).stem}", str(path), *options]
        path.write_text(json.dumps({**order, "folder": folder, "begun_s": time.time()}))
        spent_s, begun_s = machine_cpu_s(), time.monotonic()
        variables = {**environment(), WARM: warm}
        child = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=timeout_s)
        seconds = time.monotonic() - begun_s
        if child.returncode:
            raise RuntimeError(f"{' '.join(program)} failed:\n{child.stdout[-2000:]}\n{child.stderr[-4000:]}")
        output = json.loads(path.with_suffix(".out").read_text())
        return {"seconds": seconds, "machine_cpu_s": machine_cpu_s() - spent_s, **output}


@contextmanager
def kept_warm() -> Iterator[str]:
    """Keep a Ray warm for the programs of the block, and end it afterwards.

    Yields:
        Its name, for ``run``. No other run finds it.
    """
    name = secrets.token_hex(8)
    command = [sys.executable, "-m", "tune_jobs", "warm"]
    variables = {**environment(), WARM: name}
    subprocess.run(command, env=variables, capture_output=True, check=True)
    try:
        yield name
    finally:
        subprocess.run([*command, "--stop"], env=variables, capture_output=True, check=True)


def machine_cpu_s() -> float:
    """Return the CPU seconds of all processes since the machine started (user, nice, system)."""
    user, nice, system = Path("/proc/stat").read_text().split(maxsplit=4)[1:4]
    return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")
