"""Classification or regression, and what the reports count."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tests.support.result_strategies import property_settings
from tune_jobs.evaluation import reports as reports_module
from tune_jobs.evaluation.reports import Classification, NoReport, Regression
from tune_jobs.evaluation.tasks import MAX_CLASSES, report, reports

LOGITS = SimpleNamespace(name="binary_crossentropy", from_logits=True)


@st.composite
def classified(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """True classes, and one number an example and class whose largest is the predicted one."""
    classes = draw(st.integers(2, 6))
    size = draw(st.integers(1, 40))
    pick = st.lists(st.integers(0, classes - 1), min_size=size, max_size=size)
    true, predicted = np.array(draw(pick)), np.array(draw(pick))
    return classes, true, predicted, np.eye(classes)[predicted] * 0.6 + 0.1


@property_settings
@given(
    classified(), st.sampled_from(["int8", "uint8", "int64", "float32"]), st.sampled_from(["flat", "column", "one-hot"])
)
def test_classes_are_recognized_however_they_are_written(case: Any, dtype: Any, form: str) -> None:
    classes, true, predicted, output = case
    labels = {"flat": true, "column": true[:, None], "one-hot": np.eye(classes)[true]}[form].astype(dtype)
    result = report(labels, output.astype(np.float32), "mse", None)
    assert isinstance(result, Classification)
    expected = metrics.confusion_matrix(true, predicted, labels=range(classes))
    np.testing.assert_array_equal(result.confusion, expected)


@property_settings
@given(classified())
def test_the_report_is_that_of_scikit_learn(case: Any) -> None:
    classes, true, predicted, output = case
    result = report(true, output, None, [f"class {index}" for index in range(classes)])
    present = sorted({*true, *predicted})
    names = [f"class {index}" for index in present]
    options = {"labels": present, "target_names": names, "zero_division": 0.0}
    assert result.text() == metrics.classification_report(true, predicted, digits=4, **options)
    numbers = result.to_json()
    expected = metrics.classification_report(true, predicted, output_dict=True, **options)
    assert numbers["accuracy"] == pytest.approx(np.mean(true == predicted))
    assert sum(numbers["support"]) == len(true)
    for index, name in zip(present, names, strict=True):
        for ours, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert numbers[ours][index] == pytest.approx(expected[name][theirs])
    assert [value is None for value in numbers["f1"]] == [index not in present for index in range(classes)]


@property_settings
@given(st.lists(st.tuples(st.booleans(), st.floats(-3, 3)), min_size=1, max_size=30), st.booleans())
def test_two_classes_are_told_apart_by_the_threshold_of_the_loss(rows: list[tuple[bool, float]], column: bool) -> None:
    labels, logits = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if column:
        labels, logits = labels[:, None], logits[:, None]
    probabilities = 1 / (1 + np.exp(-logits))
    by_logits = report(labels.astype("int32"), logits, LOGITS, ("no", "yes"))
    assert by_logits.class_names == ("no", "yes")
    np.testing.assert_array_equal(
        by_logits.confusion, metrics.confusion_matrix(labels.ravel(), logits.ravel() >= 0, labels=[False, True])
    )
    by_probability = report(labels.astype("float32"), probabilities, "binary_crossentropy", None)
    np.testing.assert_array_equal(by_probability.confusion.sum(axis=1), by_logits.confusion.sum(axis=1))
    assert isinstance(report(labels.astype("float32"), probabilities, "mse", None), Regression)


@property_settings
@given(st.integers(2, 30), st.integers(1, 3), st.integers(0, 10**6))
def test_the_errors_are_those_of_scikit_learn(examples: int, targets: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, predicted = rng.normal(size=(2, examples, targets))
    result = report(true, predicted, "mse", None)
    assert isinstance(result, Regression)
    assert result.mae == pytest.approx(metrics.mean_absolute_error(true, predicted))
    assert result.rmse == pytest.approx(metrics.mean_squared_error(true.ravel(), predicted.ravel()) ** 0.5)
    assert result.r2 == pytest.approx(metrics.r2_score(true, predicted))


def test_errors_of_large_targets_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_module, "_PIECE_NUMBERS", 500)
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=(2, 1000, 300)).astype(np.float32)
    true[:, :2] = 3
    predicted[:, 0] = 3
    result = report(true, predicted, "mse", None)
    assert isinstance(result, Regression)
    assert np.shares_memory(result.true, true)
    tracemalloc.start()
    try:
        assert result.mae == pytest.approx(metrics.mean_absolute_error(true.astype(float), predicted.astype(float)))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        r2, rmse = result.r2, result.rmse
        assert tracemalloc.get_traced_memory()[1] - before < true.nbytes / 4
    finally:
        tracemalloc.stop()
    assert r2 == pytest.approx(metrics.r2_score(true.astype(float), predicted.astype(float)))
    assert rmse == pytest.approx(float(np.sqrt(np.mean((true.astype(float) - predicted) ** 2))))


def test_numbers_beside_a_column_are_regression_and_one_example_has_no_r2() -> None:
    assert isinstance(report(np.array([1.5, 2.0]), np.array([[1.0], [2.0]]), "mse", None), Regression)
    assert isinstance(report(np.array([3, 7]), np.array([[1.0], [2.0]]), "poisson", None), Regression)
    assert report(np.array([1.5]), np.array([2.0]), "mse", None).r2 is None


@pytest.mark.parametrize(
    ("labels", "output", "loss", "reason"),
    [
        ([0, 3], np.ones((2, 3)), None, "not classes from 0 to 2"),
        ([0, -1], np.ones((2, 3)), None, "not classes from 0 to 2"),
        ([0.5, 1.0], np.ones((2, 3)), None, "not classes from 0 to 2"),
        ([[1, 1], [0, 0]], np.ones((2, 2)), None, "any number of the classes"),
        ([[1.0, 1.0], [0.0, 0.0]], np.ones((2, 2)), "BinaryCrossentropy", "any number of the classes"),
        ([1, 2], np.array([[np.nan, 1.0], [0.0, 1.0]]), None, "not finite"),
        (np.zeros((2, 4, 4)), np.zeros((2, 4, 4, 5)), None, "the shape (2, 4, 4)"),
        ([0, 1], np.zeros((2, MAX_CLASSES + 1)), None, "1,000 at most"),
    ],
)
def test_what_cannot_be_reported_says_why(labels: Any, output: Any, loss: Any, reason: str) -> None:
    result = report(np.array(labels), output, loss, None)
    assert isinstance(result, NoReport)
    assert reason in result.reason


def test_numbers_stand_in_for_names_that_are_missing() -> None:
    labels, output = np.array([0, 1, 2]), np.eye(3)
    assert report(labels, output, None, ["a"]).class_names == ("a", "1", "2")
    assert report(labels, output, None, ["a", "b", "c", "d"]).class_names == ("a", "b", "c")


def test_each_output_has_a_report_of_its_own() -> None:
    labels = {"kind": np.array([0, 1]), "price": np.array([1.0, 2.5])}
    outputs = {"kind": np.array([[0.9], [0.2]]), "price": np.array([[1.0], [2.0]])}
    losses = {"kind": "binary_crossentropy", "price": "mse"}
    by_name = reports(labels, outputs, losses, ["kind", "price"], ("no", "yes"))
    assert isinstance(by_name["kind"], Classification)
    assert isinstance(by_name["price"], Regression)
    as_lists = reports(tuple(labels.values()), list(outputs.values()), list(losses.values()), ["kind", "price"], None)
    np.testing.assert_array_equal(as_lists["kind"].confusion, by_name["kind"].confusion)
    (unpaired,) = reports(labels, outputs["kind"], "mse", ["kind"], None).values()
    assert "not arranged" in unpaired.reason
