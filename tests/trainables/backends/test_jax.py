"""JAX gathers its batches within the compiled step, and keeps what it has compiled: each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.trainables.backends.test_backends import CONTRACTS, needs

STEPS = Path(__file__).with_name("jax_steps.py")
CHILD = """
import json, jax
from trainables import TrialSettings
from tests.support.tiny_trainables import Tiny, tiny_data

events = []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
worker = Tiny.standalone({}, data=tiny_data(), settings=TrialSettings(cpus=1, gpus=0))
report = worker.step()
hits, misses = (events.count(f"/jax/compilation_cache/cache_{kind}") for kind in ("hits", "misses"))
print(json.dumps({"hits": hits, "misses": misses, "folder": jax.config.jax_compilation_cache_dir,
                  "metrics": report["metrics"], "error": str(report["error"])}))
"""


FOLDERS = """
import json, jax
from trainables.devices.jax_programs import keep_compiled_programs

kept = [keep_compiled_programs()]
folders = [jax.config.jax_compilation_cache_dir]
jax.config.update("jax_compilation_cache_dir", None)  # as if the user had chosen none
kept.append(keep_compiled_programs())
folders.append(jax.config.jax_compilation_cache_dir)
print(json.dumps({"kept": kept, "folders": folders}))
"""


def environment(**more: str) -> dict[str, str]:
    root = str(Path(__file__).parents[3])
    return {**os.environ, "KERAS_BACKEND": "jax", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": root, **more}


def answer_of(program: str, **more: str) -> dict[str, Any]:
    child = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-3000:]
    return dict(json.loads(child.stdout.splitlines()[-1]))


def run_tests(folder: Path, *files: Path, only: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a process whose backend is JAX, and whose programs are kept in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, files), "-k", only],
        env=environment(XDG_CACHE_HOME=str(folder)),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def run_steps(folder: Path, *, only: str) -> subprocess.CompletedProcess[str]:
    return run_tests(folder, STEPS, CONTRACTS, only=only)


@pytest.mark.parametrize("backend", [needs("jax")])
def test_a_known_model_is_not_compiled_again_and_a_dropout_without_a_seed_keeps_the_contract(
    backend: str, tmp_path: Path
) -> None:
    result = run_steps(
        tmp_path, only="known or kerass_loop or books or three_programs or quickly or large or TestDropout"
    )
    assert "12 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("backend", [needs("jax")])
def test_gathered_batches_are_those_of_kerass_loop(backend: str, tmp_path: Path) -> None:
    result = run_steps(tmp_path, only="gathers or again_reads")
    assert "8 passed" in result.stdout, f"{backend}: {result.stdout[-3000:]} {result.stderr[-1000:]}"


@pytest.mark.parametrize("backend", [needs("jax")])
def test_a_second_process_compiles_nothing_that_the_first_has_compiled(backend: str, tmp_path: Path) -> None:
    first = answer_of(CHILD, KERAS_BACKEND=backend, XDG_CACHE_HOME=str(tmp_path))
    assert first["folder"] == str(tmp_path / "tune-jobs" / "jax")
    assert first["misses"] > 0
    assert (tmp_path / "tune-jobs" / "jax").stat().st_mode & 0o777 == 0o700
    second = answer_of(CHILD, KERAS_BACKEND=backend, XDG_CACHE_HOME=str(tmp_path))
    assert (second["hits"], second["misses"]) == (first["misses"] + first["hits"], 0)
    assert second["metrics"] == first["metrics"]


@pytest.mark.parametrize("backend", [needs("jax")])
def test_a_folder_that_others_may_write_is_not_used_and_a_users_choice_is_kept(backend: str, tmp_path: Path) -> None:
    (tmp_path / "tune-jobs" / "jax").mkdir(parents=True)
    (tmp_path / "tune-jobs" / "jax").chmod(0o777)
    own = str(tmp_path / "own")
    answer = answer_of(FOLDERS, KERAS_BACKEND=backend, XDG_CACHE_HOME=str(tmp_path), JAX_COMPILATION_CACHE_DIR=own)
    assert answer == {"kept": [None, None], "folders": [own, None]}
    assert list((tmp_path / "tune-jobs" / "jax").iterdir()) == []
