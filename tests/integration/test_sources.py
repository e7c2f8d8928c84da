"""A run on sources of every kind, whose data each worker opens: killed and resumed, it is what it would be."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.support.child_process import COMMAND, HANGS_S, tune_jobs, wait_until_gone
from tune_jobs.results import EpochReported, Noted
from tune_jobs.results.run import Run

pytestmark = pytest.mark.integration

HAS_TORCH = find_spec("torch") is not None
FEW = ("unknown", "function", "threads", "ray")
ALL = ("dataset", "unknown", "ragged", "threads", "function", "ray", *(("loader",) if HAS_TORCH else ()))
EPOCHS = 3

EXPERIMENT = """
import time

import keras
import numpy as np
import tensorflow as tf

from search_spaces import Choice, SearchSpace
from trainables import Data, FitOptions, KerasTrainable
from tune_jobs import Experiment, Grid, NoScheduler, Objective

X = np.random.default_rng(0).normal(size=(400, 4)).astype("float32")
Y = (X.sum(1) > 0).astype("int32")
WORDS = np.array(["low", "high"])[Y]


class Batches(keras.utils.PyDataset):
    def __init__(self, first, last, **options):
        super().__init__(**options)
        self.x, self.y = X[first:last], Y[first:last]

    def __len__(self):
        return len(self.x) // 20

    def __getitem__(self, index):
        rows = slice(index * 20, (index + 1) * 20)
        return self.x[rows], self.y[rows]


def generated(first, last, epoch=0):
    rows = np.random.default_rng(epoch).permutation(np.arange(first, last))
    for start in range(0, len(rows), 16):
        yield X[rows[start : start + 16]], Y[rows[start : start + 16]]


def loader(first, last):
    import torch

    rows = torch.utils.data.TensorDataset(torch.from_numpy(X[first:last]), torch.from_numpy(Y[first:last]))
    return torch.utils.data.DataLoader(rows, batch_size=16, num_workers=2)


def ragged(first, last):
    rows = tf.RaggedTensor.from_row_lengths(np.arange(2 * (last - first)) % 7, np.full(last - first, 2))
    parts = {"rows": rows, "words": WORDS[first:last, None]}
    return tf.data.Dataset.from_tensor_slices((parts, Y[first:last]))


class Sources(KerasTrainable):
    data_cpus = 1

    def load_data(self):
        examples = tf.data.Dataset.from_tensor_slices((X, Y))
        return Data(examples.take(300), examples.skip(300))

    def prepare(self, data, config):
        kind = config["kind"]
        if kind in ("dataset", "unknown"):
            train = data.train.shuffle(300, seed=2)
            train = train.filter(lambda x, y: y >= 0) if kind == "unknown" else train
            return Data(train.batch(16), data.validation.batch(16))
        if kind == "ragged":
            # If the validation split were shuffled, its loss would be summed in another order after a resume.
            return Data(ragged(0, 300).shuffle(64, seed=3).batch(16), ragged(300, 400).batch(16))
        if kind == "threads":
            options = {"workers": 2, "use_multiprocessing": True}
            return Data(Batches(0, 300, **options), Batches(300, 400, **options))
        if kind == "loader":
            return Data(loader(0, 300), loader(300, 400))
        if kind == "function":
            return Data(lambda epoch: generated(0, 300, epoch), lambda: generated(300, 400))
        import ray

        rows = [{"x": x, "y": y} for x, y in zip(X, Y)]
        return Data(ray.data.from_items(rows[:300]), ray.data.from_items(rows[300:]), label="y")

    def build_model(self, config):
        if config["kind"] == "ragged":
            rows = keras.Input((None,), dtype="int64", name="rows")
            words = keras.Input((1,), dtype="string", name="words")
            known = keras.layers.StringLookup(vocabulary=["low", "high"], output_mode="multi_hot")(words)
            parts = [keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(8, 4)(rows)), known]
            x = keras.layers.concatenate(parts)
            inputs = {"rows": rows, "words": words}
        else:
            inputs = keras.Input((4,))
            x = keras.layers.Dropout(0.2)(inputs)
        model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(x))
        model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def fit_options(self, config):
        return FitOptions(callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: time.sleep(0.2))])


EXPERIMENT = Experiment(
    trainable=Sources,
    space=SearchSpace(kind=Choice(*KINDS)),
    objective=Objective("val_loss", "min"),
    searcher=Grid(),
    scheduler=NoScheduler(),
    max_epochs=EPOCHS,
    checkpoint_every_s=0.1,
)
"""


def epochs(run: Path) -> dict[tuple[int, int], Any]:
    events = (event for event in Run(run).events() if isinstance(event, EpochReported))
    return {(event.trial, event.epoch): (event.metrics, event.batches) for event in events}


@pytest.mark.usefixtures("warm")
@pytest.mark.parametrize("kinds", [FEW, pytest.param(ALL, marks=pytest.mark.slow)], ids=["few", "all"])
def test_a_killed_run_on_sources_is_what_it_would_have_been(
    tmp_path: Path, ray_folder: Path, kinds: tuple[str, ...]
) -> None:
    (tmp_path / "sources.py").write_text(f"KINDS, EPOCHS = {kinds!r}, {EPOCHS}\n{EXPERIMENT}")
    environment = {**os.environ, "RAY_TMPDIR": str(ray_folder)}
    arguments = ["run", "sources.py", "--name"]
    child = subprocess.Popen([COMMAND, *arguments, "cut"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    journal = tmp_path / "runs" / "cut" / "journal.jsonl"
    deadline_s = time.monotonic() + HANGS_S
    while not journal.exists() or journal.read_text().count('"metrics"') <= EPOCHS * 2:
        assert child.poll() is None
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert wait_until_gone(ray_folder) == []
    assert '"data": "opened by each worker"' in journal.read_text()
    for command in (["resume", "cut"], [*arguments, "whole"]):
        result = tune_jobs(tmp_path, *command)
        assert result.returncode == 0, result.stdout + result.stderr
    cut, whole = epochs(journal.parent), epochs(tmp_path / "runs" / "whole")
    assert len(whole) == len(kinds) * EPOCHS
    assert cut == whole
    counted = {kinds[trial]: batches for (trial, _), (_, batches) in whole.items()}
    loaded = {"loader": 19} if "loader" in kinds else {}
    assert counted == {**dict.fromkeys(kinds), "unknown": 19, "function": 19, "ray": 10, **loaded}
    boards = [Run(tmp_path / "runs" / name).leaderboard()[["trial", "kind", "val_loss"]] for name in ("cut", "whole")]
    assert boards[0].equals(boards[1])
    notes = [event.text for event in Run(journal.parent).events() if isinstance(event, Noted)]
    assert not any("not exactly resumable" in note for note in notes), notes
    assert sum("2 threads make its batches instead of processes" in note for note in notes) >= 2, notes
