"""From a run to a model that others can use: evaluated, exported, and trained again on more data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from child_process import tune_jobs

pytestmark = pytest.mark.integration

# Without this package and Ray: what whoever is given the file has.
ELSEWHERE = """
import json, sys

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tune_jobs", "trainables", "search_spaces", "ray"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nothing())
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

images, labels = load_digits(return_X_y=True)
_, x, _, y = train_test_split(images / 16, labels, test_size=0.2, random_state=0, stratify=labels)
print(json.dumps(keras.models.load_model(sys.argv[1]).evaluate(x, y, verbose=0, return_dict=True)))
"""


@pytest.mark.timeout(600)  # six processes that import TensorFlow, one after another
def test_a_run_is_evaluated_exported_and_refitted(tmp_path: Path, ray_folder: Path) -> None:
    options = [
        "--name",
        "digits",
        "--trials",
        "2",
        "--max-epochs",
        "3",
        "--max-concurrent",
        "1",
        "--searcher",
        "random",
    ]
    assert tune_jobs(tmp_path, "run", "digits_mlp", *options, RAY_TMPDIR=str(ray_folder)).returncode == 0

    evaluated = tune_jobs(tmp_path, "evaluate", "digits", "--output", "confusion.png")
    assert evaluated.returncode == 0, evaluated.stderr
    assert "test set, 360 examples: loss " in evaluated.stdout
    assert "weighted avg" in evaluated.stdout
    assert "confusion matrix, a row a true class" in evaluated.stdout
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    best, other = json.loads(tune_jobs(tmp_path, "leaderboard", "digits", "--format", "json").stdout)
    assert f"accuracy {best['test_accuracy']:#.4g}" in evaluated.stdout
    assert other["test_accuracy"] is None

    assert tune_jobs(tmp_path, "export", "digits", "best.keras").returncode == 0
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "best.keras")]
    read = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert read.returncode == 0, read.stderr
    scores = json.loads(read.stdout.splitlines()[-1])
    assert scores["accuracy"] == pytest.approx(best["test_accuracy"])
    assert scores["loss"] == pytest.approx(best["test_loss"], rel=1e-4)

    refitted = tune_jobs(tmp_path, "refit", "digits", "again.keras")
    assert refitted.returncode == 0, refitted.stderr
    assert f"trained again for {best['best_epoch']} epoch" in refitted.stdout
    assert "on 1,437 examples" in refitted.stdout
    assert (tmp_path / "again.keras").is_file()
