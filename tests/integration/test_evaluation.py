"""From a run to a model that others can use: evaluated, exported, and trained again on more data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.child_process import HANGS_S
from tune_jobs.cli.main import main
from tune_jobs.results.find import load_run

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


def command(*arguments: str) -> str:
    """A command in this process, which has imported TensorFlow already."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("warm")
def test_a_run_is_evaluated_exported_and_refitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNE_JOBS_STORAGE", raising=False)
    options = "--name digits --trials 2 --max-epochs 3 --max-concurrent 1 --searcher random --scheduler none"
    assert "tune-jobs evaluate digits" in command("run", "digits_mlp", *options.split())

    evaluated = command("evaluate", "digits", "--output", "confusion.png")
    assert "test set, 360 examples: loss " in evaluated
    assert "weighted avg" in evaluated
    assert "confusion matrix, a row a true class" in evaluated
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    board = load_run("runs/digits").leaderboard()
    best = board.iloc[0]
    assert f"accuracy {best['test_accuracy']:#.4g}" in evaluated
    assert board["test_accuracy"].notna().tolist() == [True, False]

    command("export", "digits", "best.keras")
    elsewhere = [sys.executable, "-c", ELSEWHERE, "best.keras"]
    read = subprocess.run(elsewhere, capture_output=True, text=True, timeout=HANGS_S, check=False)
    assert read.returncode == 0, read.stderr
    scores = json.loads(read.stdout.splitlines()[-1])
    assert scores["accuracy"] == pytest.approx(best["test_accuracy"])
    assert scores["loss"] == pytest.approx(best["test_loss"], rel=1e-4)

    refitted = command("refit", "digits", "again.keras")
    assert f"trained again for {best['best_epoch']} epoch" in refitted
    assert "on 1,437 examples" in refitted
    assert (tmp_path / "again.keras").is_file()
