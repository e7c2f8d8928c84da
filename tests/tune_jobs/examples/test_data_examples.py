"""The examples that bring data of their own kind: images, texts, a table. Each on data that its test makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tune_jobs
from trainables import Data, TrialSettings
from trainables.examples import sample_files
from tune_jobs.examples import csv_table, image_folder, py_dataset, text_files, time_series
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.schedulers import NoScheduler

WORDS = {"weather": "rain sun wind snow fog storm", "food": "bread soup rice apple tea cake"}


def images(folder: Path) -> Path:
    """Bright and dark pictures of 32 x 32 pixels."""
    from PIL import Image

    generator = np.random.default_rng(0)
    for label, name in enumerate(("bright", "dark")):
        (folder / name).mkdir()
        for number in range(40):
            picture = generator.integers(128 * (1 - label), 128 * (2 - label), (32, 32, 3), dtype=np.uint8)
            Image.fromarray(picture).save(folder / name / f"{number}.png")
    return folder


def texts(folder: Path) -> Path:
    """Texts of words about two subjects, which no text has together."""
    generator = np.random.default_rng(0)
    for name, words in WORDS.items():
        (folder / name).mkdir()
        for number in range(40):
            (folder / name / f"{number}.txt").write_text(" ".join(generator.choice(words.split(), 6)))
    return folder


def table(folder: Path) -> Path:
    """A table in which one in eight leaves, all with the plan "trial" or with many calls."""
    generator = np.random.default_rng(0)
    lines = ["plan,calls,left"]
    for number in range(400):
        left = int(number % 8 == 0)
        calls = generator.normal(500 if left else 100, 50)
        lines.append(f"{'trial' if left and number % 16 else 'full'},{calls:.1f},{left}")
    (folder / "table.csv").write_text("\n".join(lines))
    return folder / "table.csv"


def series(folder: Path) -> Path:
    """A wave."""
    values = np.sin(np.arange(600) / 3)
    (folder / "series.csv").write_text("\n".join(["time,value", *(f"{i},{v}" for i, v in enumerate(values))]))
    return folder / "series.csv"


EXAMPLES: dict[str, tuple[str, Callable[[Path], Path], Experiment, dict[str, Any]]] = {
    "images": (
        "IMAGES",
        images,
        image_folder.EXPERIMENT,
        {
            "dense_units": 32,
            "dropout": 0.0,
            "head_rate": 0.003,
            "fine_tune": True,
            "frozen_epochs": 1,
            "fine_tune_rate": 0.001,
        },
    ),
    "texts": (
        "TEXTS",
        texts,
        text_files.EXPERIMENT,
        {"max_tokens": 200, "words": 16, "embedding": 16, "dropout": 0.0, "learning_rate": 0.03},
    ),
    "table": (
        "TABLE",
        table,
        csv_table.EXPERIMENT,
        {"layers": 1, "units": [16], "dropout": 0.0, "learning_rate": 0.03, "weight_of_rare": 3.0},
    ),
}
EPOCHS = 4


def test_a_forecast_is_made_from_windows_of_the_length_that_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERIES", str(series(tmp_path)))
    trainable = time_series.TimeSeries.standalone()
    config = {"window": 6, "network": "dense", "units": 16, "learning_rate": 0.03}
    data = trainable.prepare(trainable.load_data(), config)
    assert data.examples == {"train": 354, "validation": 114, "test": 114}
    x, y = data.validation
    np.testing.assert_array_equal(x[1, :-1], x[0, 1:])
    np.testing.assert_array_equal(x[1:, -1, 0], y[:-1])
    trial = time_series.TimeSeries.standalone(config, settings=TrialSettings("val_mae", "min", max_epochs=EPOCHS))
    reports = [trial.step() for _ in range(EPOCHS)]
    trial.cleanup()
    assert reports[-1]["error"] is None, reports[-1].get("traceback")
    assert reports[-1]["metrics"]["val_mae"] < 0.5 * reports[0]["metrics"]["val_mae"]


def test_a_py_dataset_is_augmented_as_the_configuration_says() -> None:
    trainable = py_dataset.PyDatasetDigits.standalone()
    data = trainable.load_data()
    config = {"shift": 1, "noise": 0.0, "filters": 8, "learning_rate": 0.003}
    augmented = trainable.prepare(data, config).train
    still = trainable.prepare(data, {**config, "shift": 0}).train
    np.testing.assert_array_equal(still[0][0], data.train[0][:64])
    first = [augmented[index][0] for index in range(len(augmented))]
    augmented.on_epoch_end()
    later = [augmented[index][0] for index in range(len(augmented))]
    assert not all(np.array_equal(one, other) for one, other in zip(first, later, strict=True))
    settings = TrialSettings("val_accuracy", "max", max_epochs=2)
    trial = py_dataset.PyDatasetDigits.standalone(config, data, settings)
    reports = [trial.step() for _ in range(2)]
    trial.cleanup()
    assert all(report["error"] is None for report in reports), reports[0].get("traceback")
    assert reports[-1]["metrics"]["val_accuracy"] > reports[0]["metrics"]["val_accuracy"]


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    variable, make, experiment, config = EXAMPLES[request.param]
    (tmp_path / "data").mkdir()
    monkeypatch.setenv(variable, str(make(tmp_path / "data")))
    assert experiment.space.validate(config) == []
    return experiment, config


def test_it_learns_what_is_easy(example: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment, config = example
    monkeypatch.setattr(experiment.trainable, "batch_size", 8)
    settings = TrialSettings(experiment.objective.metric, "max", max_epochs=EPOCHS)
    trial = experiment.trainable.standalone(config, settings=settings)
    reports = [trial.step() for _ in range(EPOCHS)]
    trial.cleanup()
    assert all(report["error"] is None for report in reports), reports[0].get("traceback")
    assert reports[-1]["metrics"][experiment.objective.metric] > 0.9


@pytest.mark.parametrize("trainable", [image_folder.ImageFolder, text_files.TextFiles, csv_table.CsvTable])
def test_without_data_of_ones_own_there_is_some(
    trainable: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_files.tempfile, "gettempdir", lambda: str(tmp_path))
    data: Data = trainable().load_data()
    assert min(examples for examples in data.examples.values() if examples is not None) >= 50
    assert data.class_names is not None


ENDS: dict[str, tuple[str, Callable[[Path], Path], Experiment]] = {
    **{name: (variable, make, experiment) for name, (variable, make, experiment, _) in EXAMPLES.items()},
    "series": ("SERIES", series, time_series.EXPERIMENT),
    "py_dataset": ("UNUSED", lambda folder: folder, py_dataset.EXPERIMENT),
}


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("name", ENDS)
def test_it_runs_and_its_exported_model_predicts_what_the_run_reported(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, make, experiment = ENDS[name]
    (tmp_path / "data").mkdir()
    monkeypatch.setenv(variable, str(make(tmp_path / "data")))
    run = tune_jobs.run(
        experiment.override(trials=2, max_epochs=2, scheduler=NoScheduler()), storage=tmp_path, name="first"
    )
    (evaluation,) = tune_jobs.evaluate(run, experiment)
    exported = tune_jobs.export(run, experiment, tmp_path / "best.keras")
    assert exported.notes == ()
    model = keras.models.load_model(tmp_path / "best.keras")
    trainable = experiment.trainable()
    data = trainable.prepare(trainable.load_data(), dict(evaluation.ranked.trial.config))
    given = _tensors(*data.test) if isinstance(data.test, tuple) else (data.test,)
    scores = model.evaluate(*given, return_dict=True, verbose=0)
    for metric, value in evaluation.scored.metrics.items():
        assert scores[metric] == pytest.approx(value, rel=1e-4), metric


def _tensors(x: Any, y: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    return keras.tree.map_structure(lambda column: tf.constant(np.asarray(column)), x), y
