"""A driver imports Ray so that SIGTERM stays its own, and its workers do not inherit that."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os
from tune_jobs.engine.on_ray.import_ray import import_ray

import_ray()
from ray._private import ray_constants

assert ray_constants.RAY_DISABLE_FAILURE_SIGNAL_HANDLER is True
assert "RAY_DISABLE_FAILURE_SIGNAL_HANDLER" not in os.environ
"""


def test_ray_takes_no_signals_of_the_process_that_imports_it() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
