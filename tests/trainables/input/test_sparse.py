"""Sparse matrices of SciPy: they are trained, validated, divided and evaluated as the same numbers in an array."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import scipy.sparse

from tests.support.outcomes import BeginTrial
from tests.support.sources import BATCH, Logistic, X, Y
from trainables import Data, FitOptions, InvalidData, split
from trainables.data.mapped import for_workers, opened
from trainables.data.put_together import one_after_the_other

DENSE = np.where(np.abs(X) > 0.5, X, 0).astype(np.float32)
FORMATS = ("csr_matrix", "csr_array", "csc_matrix", "coo_array", "lil_matrix", "dok_array", "bsr_matrix")


def sparse(kind: str = "csr_matrix", x: np.ndarray = DENSE) -> Any:
    return getattr(scipy.sparse, kind)(x)


def measured(begin: BeginTrial, data: Data, options: FitOptions, **config: Any) -> list[Any]:
    class Own(Logistic):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            return options

    worker = begin(Own, config, data, metric="val_loss", mode="min", max_epochs=2)
    reports = [worker.step(), worker.step()]
    assert [report.get("mistake") or report.get("error") for report in reports] == [None, None]
    return [report["metrics"]["val_loss"] for report in reports]


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix"])
@pytest.mark.parametrize(
    "options",
    [FitOptions(), FitOptions(class_weight={1: 3.0}, steps_per_epoch=4), FitOptions(shuffle=False, validation_steps=1)],
    ids=["plain", "weights", "in order"],
)
def test_a_sparse_matrix_is_trained_on_as_an_array(begin: BeginTrial, kind: str, options: FitOptions) -> None:
    options = dataclasses.replace(options, validation_batch_size=BATCH)
    expected = measured(begin, Data((DENSE, Y), (DENSE, Y)), options)
    found = measured(begin, Data((sparse(kind), Y), (sparse(kind), Y)), options)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_sparse_matrix_stands_beside_other_inputs(begin: BeginTrial) -> None:
    class Two(Logistic):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            inputs = [keras.Input((4,), name="wide"), keras.Input((4,), name="counts", sparse=True)]
            both = keras.layers.concatenate([keras.layers.Dense(3)(part) for part in inputs])
            model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(both))
            model.compile("sgd", "sparse_categorical_crossentropy")
            return model

    x = {"wide": X, "counts": sparse()}
    worker = begin(Two, {}, Data((x, Y), (x, Y)), metric="val_loss", mode="min", max_epochs=1)
    report = worker.step()
    assert np.isfinite(report.get("metrics", {}).get("val_loss", np.nan)), report


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_kept_by_rows_and_shares_what_it_has(kind: str) -> None:
    matrix = sparse(kind)
    data = Data((matrix, Y), (matrix, Y))
    assert data.examples == {"train": 75, "validation": 75}
    np.testing.assert_array_equal(data.train[0].toarray(), DENSE)
    x, y = data.part(0.4).train
    np.testing.assert_array_equal(x.toarray(), Data((DENSE, Y)).part(0.4).train[0])
    assert x.shape[0] == len(y)
    sent = opened(for_workers(data)).train[0]
    np.testing.assert_array_equal(sent.toarray(), DENSE)
    both = one_after_the_other(data.train, data.validation)[0]
    np.testing.assert_array_equal(both.toarray(), np.concatenate([DENSE, DENSE]))
    (kept, _), (held_out, _) = split(data.train[0], Y, 0.2)
    assert (kept.shape[0], held_out.shape[0]) == (60, 15)


def test_a_matrix_of_the_users_is_not_changed() -> None:
    matrix = scipy.sparse.csr_matrix((np.ones(4, "float32"), [1, 0, 1, 1], [0, 2, 4]), shape=(2, 3))
    data = Data((matrix, np.zeros(2)))
    assert matrix.nnz == 4
    np.testing.assert_array_equal(data.train[0].toarray(), [[1, 1, 0], [0, 2, 0]])


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ((DENSE, sparse()), "labels and weights must not be sparse: take its .toarray()"),
        ((sparse()[:70], Y), "The arrays of Data.train have 70, 75 examples"),
        ((sparse()[:0], Y[:0]), "Data.train has no examples"),
        ((DENSE.tolist(), Y), "but must hold NumPy arrays of numbers or of strings"),
    ],
)
def test_what_is_wrong_is_said(train: Any, expected: str) -> None:
    with pytest.raises(InvalidData) as error:
        Data(train)
    assert expected in str(error.value)


def test_a_function_may_yield_sparse_batches(begin: BeginTrial) -> None:
    def batches(x: Any) -> Any:
        return lambda: ((x[i : i + BATCH], Y[i : i + BATCH]) for i in range(0, 75, BATCH))

    options = FitOptions(shuffle=False)
    expected = measured(begin, Data(batches(DENSE), batches(DENSE)), options)
    np.testing.assert_allclose(
        measured(begin, Data(batches(sparse()), batches(sparse())), options), expected, rtol=1e-5
    )
