"""The box of an input: a folder with good runs, good files and a stranger's things, made anew for each input."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.support.launcher_files import AWS

GOOD_FILE = '''"""Blobs of three classes."""
import keras
import numpy as np
from search_spaces import Choice, Float, Int, SearchSpace
from trainables import Data, FitOptions, KerasTrainable
from tune_jobs import ASHA, Experiment, Objective, Random


def blobs(examples, seed):
    rng = np.random.default_rng(seed)
    y = (np.arange(examples) % 3).astype("int32")
    return (rng.normal(size=(examples, 4)) + y[:, None]).astype("float32"), y


class Blobs(KerasTrainable):
    batch_size = 16

    def load_data(self):
        return Data(blobs(48, 0), blobs(24, 1), blobs(30, 2))

    def build_model(self, config):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
        optimizer = keras.optimizers.SGD(config["rate"])
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model


EXPERIMENT = Experiment(
    trainable=Blobs,
    space=SearchSpace(rate=Float(0.001, 1.0), units=Int(1, 4), kind=Choice("a", "b").when(units=2)),
    objective=Objective("val_accuracy", "max"),
    searcher=Random(),
    trials=3,
    max_epochs=3,
)
'''


@dataclass(frozen=True)
class Box:
    """The folders of an input.

    Attributes:
        root: The folder of the box. It is the current folder of the command.
    """

    root: Path

    @property
    def runs(self) -> Path:
        """The storage: the runs "first" and "swept", and the repeats "group-1" and "group-2"."""
        return self.root / "runs"

    @property
    def run(self) -> Path:
        """The run whose files are damaged."""
        return self.runs / "first"

    @property
    def stranger(self) -> Path:
        """The folder with things of a stranger. Nothing of ours may touch them."""
        return self.root / "stranger"

    @property
    def home(self) -> Path:
        """The home."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files."""
        return self.root / "tmp"


def make_template(root: Path) -> None:
    """Make the box that all others are copies of. It trains three trials, so it is called in a process of its own.

    Args:
        root: The folder to make.
    """
    box = Box(root)
    for folder in (box.runs, box.stranger / "folder", box.home, box.temporary):
        folder.mkdir(parents=True)
    (root / "blobs.py").write_text(GOOD_FILE)
    (root / "cluster.yaml").write_text(AWS)
    (root / "requirements.txt").write_text("numpy\n")
    (box.stranger / "precious.txt").write_text("precious\n")
    (box.stranger / "folder" / "kept.txt").write_text("kept\n")
    os.chdir(root)
    _make_runs(box)


def _make_runs(box: Box) -> None:
    from tests.support import runs, swept_runs
    from tests.support.trained_runs import train
    from tune_jobs.loading.loader import load
    from tune_jobs.results import evaluations
    from tune_jobs.results.evaluations import Scores
    from tune_jobs.results.run import Repeat

    loaded = load("blobs.py").experiment
    configs = [{"rate": 0.2, "units": 1}, {"rate": 0.05, "units": 2, "kind": "b"}]
    named = {"experiment": loaded, "experiment_name": "blobs", "reference": "blobs.py:EXPERIMENT"}
    for name, repeat in (("first", None), *((f"group-{n}", Repeat("group", n, 2)) for n in (1, 2))):
        events = train(box.runs / name, configs if repeat is None else configs[:1], loaded.trainable)
        run = runs.make_run(box.runs, name, events, repeat=repeat, **named)
        scores = Scores(0, run.history().trials[0].best(run.objective).epoch, 30, 10.0, {"loss": 1.0, "accuracy": 0.5})
        evaluations.write(run.folder, scores, {"output": {"task": "none", "reason": "no report"}})
        (run.folder / "lock").touch()
    swept_runs.make_swept_run(box.runs)


def copy_template(template: Path, root: Path) -> Box:
    """Return a new box."""
    shutil.copytree(template, root, symlinks=True)
    return Box(root)


def fingerprint(folder: Path) -> dict[str, str]:
    """Return a digest of everything in a folder, by its path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            with path.open("rb") as file:  # one that is mostly a hole is larger than the memory
                begin = file.read(2**20)
            found[name] = f"{path.stat().st_size} {hashlib.sha256(begin).hexdigest()}"
        else:
            found[name] = "folder" if path.is_dir() else "special"
    return found
