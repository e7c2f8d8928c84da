"""Sources: every batch is one step, whatever yields it, and nothing else is."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.outcomes import BeginTrial
from tests.support.sources import BATCH, BATCHED, BATCHES, SINGLE, Batches, Logistic, X, Y, batches, dataset, unknown
from trainables import Data, FitOptions, InvalidData, KerasTrainable
from trainables.data.forks import without_forks
from trainables.input.sources import read_checks
from trainables.random_streams import trial_seed

EPOCHS = 3
PLAIN = FitOptions(shuffle=False)


def trained(begin: BeginTrial, data: Data, options: FitOptions = PLAIN, **config: Any) -> list[Any]:
    """Train three epochs, and return their reports, the weights, and the steps that the optimizer counted."""

    class Own(Logistic):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            return options

    worker = begin(Own, config, data, metric="loss", mode="min", max_epochs=EPOCHS)
    reports = [worker.step() for _ in range(EPOCHS)]
    assert [report.get("mistake") or report.get("error") for report in reports] == [None] * EPOCHS
    model = worker.current_trial.training.model
    return [reports, model.get_weights(), int(model.optimizer.iterations)]


@functools.cache
def plain_epochs() -> tuple[dict[str, list[float]], list[np.ndarray]]:
    """Return what plain Keras makes of the batches of every kind."""
    return by_plain_keras(dataset().batch(BATCH), dataset().batch(BATCH))


def by_plain_keras(train: Any, validation: Any = None) -> tuple[dict[str, list[float]], list[np.ndarray]]:
    keras.utils.set_random_seed(trial_seed(0, 0))
    model = Logistic().build_model({})
    model.steps_per_execution = 64
    history = model.fit(train, validation_data=validation, epochs=EPOCHS, shuffle=False, verbose=0)
    return history.history, model.get_weights()


LONG = [pytest.mark.integration, pytest.mark.slow]
STEP_BY_STEP = ("unknown", "PyDataset with workers")


@pytest.mark.parametrize(
    ("kind", "steps_per_execution"),
    [
        *((kind, None) for kind in BATCHED),
        *(pytest.param(kind, 1, marks=() if kind in STEP_BY_STEP else LONG) for kind in BATCHED),
    ],
)
def test_an_epoch_is_all_batches_once(begin: BeginTrial, kind: str, steps_per_execution: int | None) -> None:
    options = dataclasses.replace(PLAIN, steps_per_execution=steps_per_execution)
    reports, weights, steps = trained(begin, Data(BATCHED[kind](), BATCHED[kind]()), options)
    assert steps == EPOCHS * BATCHES
    counted = BATCHES if kind in ("unknown", "function") else None
    assert [report.get("batches") for report in reports] == [counted] * EPOCHS
    history, expected = plain_epochs()
    for weight, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose([report["metrics"]["val_loss"] for report in reports], history["val_loss"], rtol=1e-5)


def test_executions_of_a_source_are_those_of_arrays(begin: BeginTrial) -> None:
    losses = {}
    for kind in ("arrays", *BATCHED):
        data = Data((X, Y), (X, Y)) if kind == "arrays" else Data(BATCHED[kind](), BATCHED[kind]())
        worker = begin(Logistic, {}, data, metric="val_loss", mode="min", max_epochs=2, executions=2)
        reports = [worker.step(), worker.step()]
        assert [report.get("mistake") or report.get("error") for report in reports] == [None, None], kind
        counted = BATCHES if kind in ("unknown", "function") else None
        assert [report.get("batches") for report in reports] == [counted] * 2, kind
        losses[kind] = [[report["metrics"][name] for name in ("val_loss", "val_loss_std")] for report in reports]
    for kind in BATCHED:
        np.testing.assert_allclose(losses[kind], losses["arrays"], rtol=1e-4, err_msg=kind)


FORKS: list[int] = []
os.register_at_fork(before=lambda: FORKS.append(1))


def test_a_py_dataset_with_processes_is_read_by_threads(begin: BeginTrial) -> None:
    def made() -> Any:
        return Batches(workers=2, use_multiprocessing=True)

    FORKS.clear()
    every_option = (PLAIN, FitOptions(class_weight={1: 3.0}))
    losses, notes = [], []
    for data in (Data(Batches(), Batches()), Data(made(), made()), Data(made(), made()).part(0.99)):
        for options in every_option:
            reports = trained(begin, data, options)[0]
            losses.append([report["metrics"]["val_loss"] for report in reports])
            notes.append([note for report in reports for note in report.get("notes", ())])
    assert losses[:2] == losses[2:4] == losses[4:]
    assert FORKS == []
    assert notes[:2] == [[], []]
    for (trial, text), (_, other) in notes[2:]:
        assert trial is None
        assert text.startswith("Data.train is a keras.utils.PyDataset with use_multiprocessing=True: 2 threads make")
        assert other.startswith("Data.validation is")


@pytest.mark.parametrize("fraction", [1.0, 0.999])
def test_a_data_loader_with_processes_is_read_by_the_worker(begin: BeginTrial, fraction: float) -> None:
    torch = pytest.importorskip("torch")

    def made(**options: Any) -> Any:
        examples = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
        return torch.utils.data.DataLoader(examples, batch_size=BATCH, **options)

    FORKS.clear()
    loader = made(num_workers=2, timeout=60, persistent_workers=True)
    reports = trained(begin, Data(loader, loader).part(fraction))[0]
    assert FORKS == []
    assert loader.num_workers == 2
    (trial, text), (_, other) = [note for report in reports for note in report.get("notes", ())]
    assert trial is None
    assert text.startswith("Data.train is a PyTorch DataLoader with num_workers=2: the worker makes its batches")
    assert other.startswith("Data.validation is")
    plain = trained(begin, Data(made(), made()).part(fraction))[0]
    assert [report["metrics"] for report in reports] == [report["metrics"] for report in plain]
    assert not any("notes" in report for report in plain)
    own = made(num_workers=2, multiprocessing_context="forkserver")
    assert without_forks(own) is own


def test_a_note_says_that_a_thread_makes_the_batches(begin: BeginTrial) -> None:
    class Fresh(Logistic):
        def prepare(self, data: Data, config: dict[str, Any]) -> Data:
            return Data(Batches(workers=1, use_multiprocessing=True), (X, Y))

    worker = begin(Fresh, {}, Data((X, Y)), metric="loss", mode="min", max_epochs=2)
    assert [text for _, text in worker.step()["notes"]] == [
        "Data.train is a keras.utils.PyDataset with use_multiprocessing=True: a thread makes its batches instead of "
        "processes, because a fork of a process with threads, which each worker is, may hang."
    ]
    assert "notes" not in worker.step()


def endless() -> Iterator[Any]:
    while True:
        yield from batches()


def endless_examples() -> Iterator[Any]:
    while True:
        yield from zip(X, Y, strict=True)


class Endless:
    def __call__(self) -> Iterator[Any]:
        while True:
            yield from batches()


WITHOUT_AN_END: dict[str, Any] = {
    "function": endless,
    "examples": endless_examples,
    "lambda": lambda: endless(),
    "cycle": lambda: itertools.cycle(list(batches())),
    "expression": lambda: (next(batches()) for _ in itertools.count()),
    "yield from": lambda: (yield from endless()),
    "object": Endless(),
    "partial": functools.partial(endless),
    "dataset": dataset().batch(BATCH).repeat(),
}


@pytest.mark.parametrize("kind", WITHOUT_AN_END)
def test_a_source_without_an_end_needs_steps(begin: BeginTrial, kind: str) -> None:
    source = WITHOUT_AN_END[kind]
    for data, option in ((Data(source), "steps_per_epoch"), (Data((X, Y), source), "validation_steps")):
        worker = begin(Logistic, {}, data, metric="loss", mode="min", max_epochs=1)
        assert f"say how many batches it has with FitOptions({option}=…)" in str(worker.step()["mistake"])


@pytest.mark.parametrize("kind", ["examples", "object"])
def test_a_function_without_an_end_is_read_for_so_many_steps(begin: BeginTrial, kind: str) -> None:
    source = WITHOUT_AN_END[kind]
    _, _, steps = trained(begin, Data(source, source), FitOptions(steps_per_epoch=4, validation_steps=3))
    assert steps == 4 * EPOCHS


def test_a_part_of_a_function_without_an_end_is_refused_and_another_is_told_the_epoch(begin: BeginTrial) -> None:
    with pytest.raises(InvalidData, match="a function that returns a generator without an end"):
        Data(endless).part(0.5)
    epochs: list[int] = []

    def of_epoch(epoch: int) -> Iterator[Any]:
        epochs.append(epoch)
        return batches()

    trained(begin, Data(of_epoch).part(0.5))
    assert sorted(set(epochs)) == [0, 1, 2]


def test_an_epoch_that_does_not_end_is_told(begin: BeginTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_checks, "MOST_BATCHES", 3 * BATCHES)

    def long() -> Iterator[Any]:
        for _ in range(4):
            yield from batches()

    for data in (Data(long), Data((X, Y), long), Data(unknown().repeat(4))):
        worker = begin(Logistic, {}, data, metric="loss", mode="min", max_epochs=1)
        mistake = str(worker.step()["mistake"])
        assert "has yielded 30 batches in one epoch, and has not ended" in mistake
    _, _, steps = trained(begin, Data(long), FitOptions(steps_per_epoch=35))
    assert steps == 35 * EPOCHS


@pytest.mark.parametrize("kind", SINGLE)
def test_a_batch_size_batches_single_examples(begin: BeginTrial, kind: str) -> None:
    _, _, steps = trained(begin, Data(SINGLE[kind](), (X, Y)), batch_size=25)
    assert steps == EPOCHS * 3


def test_a_seeded_shuffle_is_that_of_plain_keras(begin: BeginTrial) -> None:
    def shuffled() -> Any:
        tf.random.set_seed(5)
        return dataset().shuffle(75, seed=1).batch(BATCH)

    reports, _, _ = trained(begin, Data(shuffled()))
    assert [report["metrics"]["loss"] for report in reports] == by_plain_keras(shuffled())[0]["loss"]


@pytest.mark.parametrize("source", [lambda: dataset().batch(BATCH).repeat(), lambda: dataset().batch(BATCH), unknown])
def test_an_epoch_of_so_many_steps_goes_on_where_the_last_one_ended(begin: BeginTrial, source: Any) -> None:
    _, weights, steps = trained(begin, Data(source()), dataclasses.replace(PLAIN, steps_per_epoch=4))
    assert steps == EPOCHS * 4
    stream = dataset().batch(BATCH).repeat()
    keras.utils.set_random_seed(trial_seed(0, 0))
    model = Logistic().build_model({})
    model.steps_per_execution = 4
    model.fit(stream, steps_per_epoch=4, epochs=EPOCHS, verbose=0)
    for weight, other in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, other)


@pytest.mark.parametrize("split", [(X, Y), Batches()], ids=["arrays", "PyDataset"])
def test_so_many_steps_of_arrays_and_batches(begin: BeginTrial, split: Any) -> None:
    _, _, steps = trained(begin, Data(split), FitOptions(steps_per_epoch=7))
    assert steps == EPOCHS * 7


def test_validation_steps_are_the_first_ones(begin: BeginTrial) -> None:
    options = dataclasses.replace(PLAIN, validation_steps=2, validation_batch_size=BATCH)
    values = []
    for validation in (dataset().batch(BATCH), dataset().batch(BATCH).repeat(), (X, Y), Batches(), (X[:16], Y[:16])):
        reports, _, _ = trained(begin, Data(dataset().batch(BATCH), validation), options)
        values.append([report["metrics"]["val_loss"] for report in reports])
    np.testing.assert_allclose(values, [values[0]] * len(values), rtol=1e-6)


def test_class_weights_and_augmentation_are_those_of_arrays(begin: BeginTrial) -> None:
    def augment(x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
        return x + tf.random.stateless_normal(tf.shape(x), seed), y

    options = FitOptions(shuffle=False, class_weight={1: 3.0}, augment=augment)

    def losses(data: Data) -> list[float]:
        return [report["metrics"]["loss"] for report in trained(begin, data, options)[0]]

    expected = losses(Data((X, Y)))
    for kind in ("dataset", "function", "PyDataset"):
        np.testing.assert_allclose(losses(Data(BATCHED[kind]())), expected, rtol=1e-5, err_msg=kind)


def test_the_source_hears_of_each_epoch_once(begin: BeginTrial) -> None:
    source = Batches()
    trained(begin, Data(source))
    assert source.ended == 0, "each trial has a copy of its own"


def test_a_function_may_ask_for_the_epoch(begin: BeginTrial) -> None:
    epochs = []

    def source(epoch: int) -> Any:
        epochs.append(epoch)
        return batches()

    trained(begin, Data(source))
    assert epochs[-EPOCHS:] == [0, 1, 2]


def test_the_batches_of_a_py_dataset_have_an_order_of_the_seed(begin: BeginTrial) -> None:
    losses = [
        [report["metrics"]["loss"] for report in trained(begin, Data(Batches()), options)[0]]
        for options in (FitOptions(), FitOptions(), PLAIN)
    ]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("kind", BATCHED)
def test_a_part_is_a_plain_share(begin: BeginTrial, kind: str) -> None:
    _, _, steps = trained(begin, Data(BATCHED[kind](), BATCHED[kind]()).part(0.35))
    assert steps == EPOCHS * 4  # the batches 0, 2, 5, 8


def test_words_and_rows_of_unequal_length_reach_the_model(begin: BeginTrial) -> None:
    class Both(Logistic):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            rows = keras.Input((None,), dtype="int32", name="rows")
            words = keras.Input((1,), dtype="string", name="words")
            embedded = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(8, 4)(rows))
            looked_up = keras.layers.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")(words)
            outputs = keras.layers.Dense(2, activation="softmax")(keras.layers.concatenate([embedded, looked_up]))
            model = keras.Model({"rows": rows, "words": words}, outputs)
            model.compile("adam", "sparse_categorical_crossentropy")
            return model

    def batches_of_four() -> Any:
        for length in (2, 3, 5):
            x = {"rows": np.ones((4, length), np.int32), "words": np.array([["a"], ["b"], ["c"], ["a"]])}
            yield x, np.array([0, 1, 1, 0])

    worker = begin(Both, {}, Data(batches_of_four, batches_of_four), metric="val_loss", mode="min", max_epochs=2)
    reports = [worker.step(), worker.step()]
    assert [report.get("mistake") or report.get("error") for report in reports] == [None, None]


@pytest.mark.parametrize(
    ("train", "config", "expected"),
    [
        (lambda: dataset().batch(8), {"batch_size": 16}, "batched already: take its .unbatch(), or"),
        (Batches, {"batch_size": 16}, "batched already: let it yield single examples, or"),
        (lambda: dataset().batch(8).repeat(), {}, "has no end"),
        (lambda: dataset().batch(8).filter(lambda x, y: False), {}, "had no batch"),
        (lambda: lambda: iter(()), {}, "without any batch"),
    ],
)
def test_what_cannot_be_trained_is_said_before_an_epoch(
    begin: BeginTrial, train: Any, config: dict[str, Any], expected: str
) -> None:
    worker = begin(Logistic, config, Data(train()), metric="loss", mode="min", max_epochs=2)
    report = worker.step()
    assert expected in str(report.get("mistake") or report.get("error"))
    assert "epoch" not in report


def test_weights_of_single_examples_are_refused_for_sources(begin: BeginTrial) -> None:
    class Weighted(Logistic):
        options = FitOptions(sample_weight=np.ones(75))

    report = begin(Weighted, {}, Data(batches), metric="loss", mode="min").step()
    assert "let it yield (x, y, sample_weight)" in str(report["mistake"])


def test_prepare_gives_each_configuration_its_batches(begin: BeginTrial) -> None:
    class Prepared(Logistic):
        def load_data(self) -> Data:
            return Data(dataset(), dataset())

        def prepare(self, data: Data, config: dict[str, Any]) -> Data:
            return data.map(lambda split: split.batch(config["batch_size"]))

    worker = begin(Prepared, {"batch_size": 25}, Prepared().load_data(), metric="val_loss", mode="min", max_epochs=2)
    assert worker.step()["mistake"] is None
    assert int(worker.current_trial.training.model.optimizer.iterations) == 3


@pytest.mark.parametrize(
    ("result", "expected"), [(None, "returned a NoneType, but must return a Data"), (Data, "prepare: Data.train have")]
)
def test_what_prepare_returns_is_checked(begin: BeginTrial, result: Any, expected: str) -> None:
    class Wrong(KerasTrainable):
        build_model = Logistic.build_model

        def prepare(self, data: Data, config: dict[str, Any]) -> Data:
            return Data((X, Y[:3])) if result else result

    report = begin(Wrong, {}, Data((X, Y)), metric="loss", mode="min").step()
    assert expected.replace("Data.train have", "The arrays of Data.train have") in str(report["mistake"])


class FakeRayDataset:
    """Has the name and the place of Ray's class."""

    def schema(self, fetch_if_missing: bool = True) -> None:
        return None


@pytest.mark.parametrize(("cpus", "is_told"), [(None, True), (1, False)])
def test_ray_data_of_one_trial_needs_cpus(begin: BeginTrial, cpus: float | None, is_told: bool) -> None:
    kind = type("Dataset", (FakeRayDataset,), {"__module__": "ray.data.dataset"})

    class Prepared(Logistic):
        data_cpus = cpus

        def prepare(self, data: Data, config: dict[str, Any]) -> Data:
            return Data(kind(), label="y")

    report = begin(Prepared, {}, Data((X, Y)), metric="loss", mode="min").step()
    assert ("set data_cpus = 1 in Prepared" in str(report.get("mistake"))) == is_told
