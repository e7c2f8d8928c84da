"""Runs on sources of every kind: evaluated, exported and refitted, the models predict in plain Keras what was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import tensorflow as tf

import tune_jobs
from tests.support.trained_runs import NAMES, Blobs, blobs, experiment_of, trained_run
from trainables import Data, FitOptions, InvalidData
from tune_jobs.evaluation.joining import joined

SPLITS = {"train": blobs(48, 0), "validation": blobs(24, 1), "test": blobs(30, 2)}
LETTERS = np.array(["a", "b", "c", "d"])


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    def __init__(self, x: np.ndarray, y: np.ndarray, **options: Any) -> None:
        super().__init__(**options)
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x) // 6

    def __getitem__(self, index: int) -> Any:
        rows = slice(index * 6, (index + 1) * 6)
        return self.x[rows], self.y[rows]


def dataset(x: np.ndarray, y: np.ndarray) -> Any:
    return tf.data.Dataset.from_tensor_slices((x, y))


def generated(x: np.ndarray, y: np.ndarray) -> Callable[[], Iterator[Any]]:
    return lambda: ((x[start : start + 6], y[start : start + 6]) for start in range(0, len(x), 6))


def loader(x: np.ndarray, y: np.ndarray) -> Any:
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), batch_size=6
    )


def by_ray(x: np.ndarray, y: np.ndarray) -> Any:
    import ray

    return ray.data.from_items([{"x": row, "y": label} for row, label in zip(x, y, strict=True)])


@pytest.fixture
def local_ray() -> Iterator[None]:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def sparse(x: np.ndarray, y: np.ndarray) -> Any:
    return scipy.sparse.csr_matrix(x), y


def mapped(x: np.ndarray, y: np.ndarray, folder: Path = Path()) -> Any:
    np.save(folder / f"{len(x)}.npy", x)
    return np.load(folder / f"{len(x)}.npy", mmap_mode="r"), y


def frame(x: np.ndarray, y: np.ndarray) -> Any:
    return pd.DataFrame({**{name: x[:, index] for index, name in enumerate("abcd")}, "y": y})


def words(x: np.ndarray, y: np.ndarray) -> Any:
    """Rows of a few words each, of unequal length, as TensorFlow's ragged strings."""
    rows = tf.ragged.constant([[LETTERS[index] for index in range(4) if row[index] > 1] or ["none"] for row in x])
    return tf.data.Dataset.from_tensor_slices((rows, y)).batch(6)


KINDS: dict[str, Callable[..., Any]] = {
    "single examples": dataset,
    "batches": lambda x, y: dataset(x, y).batch(6),
    "unknown number": lambda x, y: dataset(x, y).batch(6).filter(lambda x, y: True),
    "shuffled, cached": lambda x, y: dataset(x, y).cache().shuffle(48, seed=1).batch(6).prefetch(2),
    "PyDataset": Batches,
    "PyDataset with workers": lambda x, y: Batches(x, y, workers=2),
    "function": generated,
    "DataLoader": loader,
    "mapped": mapped,
    "frame": frame,
    "ragged strings": words,
    "sparse": sparse,
    "Ray Data": by_ray,
}
LONG = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]
# Ray Data starts Ray. Each of the others has a relative that `make test` tries.
SLOW_KINDS = ("Ray Data", "single examples", "batches", "shuffled, cached", "PyDataset")


def of_kind(kind: str) -> type[Blobs]:
    class OfKind(Blobs):
        data_cpus = 1 if kind == "Ray Data" else None

        def load_data(self) -> Data:
            splits = {name: KINDS[kind](*split) for name, split in SPLITS.items()}
            return Data(**splits, class_names=NAMES, label="y" if kind in ("frame", "Ray Data") else None)

        def build_model(self, config: dict[str, Any]) -> Any:
            if kind == "ragged strings":
                inputs = keras.Input((None,), dtype="string")
                known = keras.layers.StringLookup(vocabulary=list(LETTERS), output_mode="multi_hot")
                outputs = keras.layers.Dense(3, activation="softmax")(known(inputs))
            elif kind == "frame":
                inputs = {name: keras.Input((1,), name=name) for name in "abcd"}
                together = keras.layers.concatenate(list(inputs.values()))
                outputs = keras.layers.Dense(3, activation="softmax")(together)
            else:
                return super().build_model(config)
            model = keras.Model(inputs, outputs)
            optimizer = keras.optimizers.SGD(config["rate"])
            model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
            return model

        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            return FitOptions(shuffle=False)

    return OfKind


def inputs_of(kind: str) -> Any:
    x, _ = SPLITS["test"]
    if kind == "ragged strings":
        return next(iter(words(*SPLITS["test"]).unbatch().batch(30)))[0]
    return {name: x[:, index : index + 1] for index, name in enumerate("abcd")} if kind == "frame" else x


def test_examples_behind_data_without_an_end_are_not_joined_to_it() -> None:
    with pytest.raises(InvalidData, match=r"leave out the \.repeat"):
        joined(dataset(*SPLITS["train"]).repeat(), dataset(*SPLITS["validation"]))


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=LONG if kind in SLOW_KINDS else ()) for kind in KINDS])
def test_what_a_run_on_a_source_leaves_predicts_in_plain_keras_what_was_told(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if kind == "Ray Data":
        request.getfixturevalue("local_ray")
    if kind == "DataLoader":
        pytest.importorskip("torch")  # not within `load_data`, whose errors are a trial's
    monkeypatch.chdir(tmp_path)
    trainable = of_kind(kind)
    run = trained_run(tmp_path, trainable=trainable)
    experiment = experiment_of(trainable)
    (evaluation,) = tune_jobs.evaluate(run, experiment, force=True)
    assert evaluation.scored.examples == 30
    assert evaluation.scored.reports, "a report with its confusion matrix"
    exported = tune_jobs.export(run, experiment, tmp_path / "best.keras", force=True)
    assert exported.notes == ()
    refitted = tune_jobs.refit(run, experiment, tmp_path / "refitted.keras", force=True)
    assert refitted.examples == (72 if kind in ("mapped", "frame", "sparse") else None)
    y = SPLITS["test"][1]
    for scored, name in ((evaluation.scored, "best"), (refitted.scored, "refitted")):
        assert scored is not None
        model = keras.models.load_model(tmp_path / f"{name}.keras")
        predicted = np.asarray(model(inputs_of(kind))).argmax(axis=1)
        assert scored.metrics["accuracy"] == pytest.approx(np.mean(predicted == y))
        assert np.trace(next(iter(scored.reports.values())).confusion) == np.sum(predicted == y)  # type: ignore[union-attr]
    loaded = run.load_best_model(trainable)
    best = keras.models.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(np.asarray(loaded(inputs_of(kind))), np.asarray(best(inputs_of(kind))), rtol=1e-6)
