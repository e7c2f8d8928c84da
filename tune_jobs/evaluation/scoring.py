"""Scoring a trained model on the test set: its loss, its metrics, and a report for each of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tune_jobs.errors import RequestError
from tune_jobs.evaluation.reports import NoReport, Report
from tune_jobs.evaluation.tasks import reports

if TYPE_CHECKING:
    from trainables import Data


@dataclass(frozen=True)
class Scored:
    """The scores of a model on the test set.

    Attributes:
        examples: The number of examples in the test set.
        is_weighted: Whether the examples have weights. Loss and weighted metrics count them, reports do not.
        metrics: The loss and every metric of the compiled model that is one number, by Keras's names.
        reports: A report for each output of the model, by its name.
    """

    examples: int
    is_weighted: bool
    metrics: Mapping[str, float]
    reports: Mapping[str, Report]


def check_test_set(data: Data, name: str) -> None:
    """Check that there is a test set.

    Args:
        data: The data.
        name: The method that returned the data, for the message.

    Raises:
        RequestError: There is none.
    """
    if data.test is None:
        raise RequestError(
            f"{name} returned no test set, but must return Data(train=…, validation=…, test=(x, y)): "
            "examples that neither training nor the search has seen."
        )


def score(model: Any, data: Data, batch_size: int) -> Scored:
    """Evaluate a compiled model on the test set.

    Args:
        model: The compiled Keras model.
        data: The data, with a test set.
        batch_size: The number of examples per batch, unless the test set has batches of its own.

    Raises:
        RequestError: The test set has no end, or is empty.
    """
    from trainables.data.kinds import is_source
    from trainables.data.nested import length
    from trainables.input.examples import fixed_batch_size, rest_of_batches
    from trainables.input.pipeline import batches_in_order

    fixed = fixed_batch_size(model)
    batch_size = fixed or batch_size
    if is_source(data.test):
        return _score_source(model, data, batch_size)
    split: Any = data.test
    if fixed is not None and (problem := rest_of_batches("Data.test", length(split), fixed)):
        raise RequestError(problem)
    batches = batches_in_order(split, batch_size)
    metrics = model.evaluate(batches, return_dict=True, verbose=0)
    predictions = model.predict(batches, verbose=0)
    return Scored(
        examples=length(split),
        is_weighted=len(split) == 3,
        metrics=_loss_first(metrics),
        reports=reports(split[1], predictions, model.loss, _output_names(model, predictions), data.class_names),
    )


def _score_source(model: Any, data: Data, batch_size: int) -> Scored:
    """Evaluate a model on a source, which is read twice: for the metrics, and for each prediction with its label."""
    from trainables import InvalidTrainable
    from trainables.input.evaluation import evaluation_batches, predictions_of
    from trainables.input.sources.read_checks import mistakes_as_read

    try:
        with mistakes_as_read():
            batches = evaluation_batches(model, "test", data.test, batch_size, data.label)
            metrics = model.evaluate(batches, return_dict=True, verbose=0)
            read = predictions_of(model, batches)
    except InvalidTrainable as error:
        raise RequestError(str(error)) from error
    if not read.examples:
        raise RequestError("Data.test yields no example: leave it out, or make it larger.")
    names = _output_names(model, read.predictions)
    if read.labels is None:
        found: Mapping[str, Report] = {name: NoReport("the test set has no labels of one shape") for name in names}
    else:
        found = reports(read.labels, read.predictions, model.loss, names, data.class_names)
    return Scored(read.examples, read.is_weighted, _loss_first(metrics), found)


def _loss_first(metrics: Mapping[str, float]) -> dict[str, float]:
    names = sorted(metrics, key=lambda name: name != "loss")
    return {name: float(metrics[name]) for name in names if _is_number(metrics[name])}


def _is_number(value: Any) -> bool:
    """Return whether a metric is one number: Keras has some of a number per class, which training passes over too."""
    return isinstance(value, int | float) or getattr(value, "shape", None) == ()


def _output_names(model: Any, predictions: Any) -> list[str]:
    names = getattr(model, "output_names", None)  # a Sequential and a subclassed model have none
    if names:
        return list(names)
    if isinstance(predictions, Mapping):
        return list(predictions)
    parts = len(predictions) if isinstance(predictions, list | tuple) else 1
    return [f"output_{index}" for index in range(parts)]
