"""A run whose checkpoint or description somebody has changed: loading its model ends in one sentence."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tune_jobs
from tests.support.trained_runs import Blobs, trained_run
from trainables.storage.checkpoint import Snapshot
from tune_jobs.errors import RequestError
from tune_jobs.results.models import Weights
from tune_jobs.results.run import Run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_run(tmp_path_factory.mktemp("runs"), rates=[0.2]).folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    return Run(shutil.copytree(trained, tmp_path / "first"))


def files(run: Run, name: str) -> list[Path]:
    return sorted(run.folder.glob(f"trials/0000/**/{name}"))


def edit_states(run: Run, change: Callable[[dict[str, Any]], object]) -> None:
    for path in files(run, "state.json"):
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))


def test_an_array_that_no_version_writes_is_named(run: Run) -> None:
    for path in files(run, "arrays.npz"):
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("evil.npy", b"")
    sentence = r"Trial 0 has no weights that can be read\. The checkpoint .* holds 'evil\.npy', which no version writes"
    for load in (run.load_best_model, lambda: tune_jobs.evaluate(run, Blobs), lambda: run.load_best_model(Blobs)):
        with pytest.raises(RequestError, match=sentence):
            load()


@pytest.mark.parametrize("epoch", ["3", 1.5, [], {"x": 1}])
def test_a_best_epoch_that_is_none_is_told(run: Run, epoch: object) -> None:
    edit_states(run, lambda state: state.update(best_epoch=epoch))
    with pytest.raises(RequestError, match="its best_epoch is"):
        run.load_best_model()


@pytest.mark.parametrize("entries", [{"executions": [1], "best_execution": "x"}, {"adapted": 5}, {"executions": 5}])
def test_a_state_of_other_types_is_told(run: Run, entries: dict[str, Any]) -> None:
    edit_states(run, lambda state: state.update(entries))
    for load in (run.load_best_model, lambda: tune_jobs.evaluate(run, Blobs)):
        with pytest.raises(RequestError, match="do not fit"):
            load()


def test_a_model_of_any_size_is_refused_with_the_name_of_its_layer(run: Run) -> None:
    (path,) = files(run, "model.json")
    name = json.loads(path.read_text())["config"]["layers"][1]["config"]["name"]
    path.write_text(path.read_text().replace('"units": 3', '"units": 1000000000000'))
    with pytest.raises(RequestError, match=rf"model\.json\. Its layer `{name}` has, as `units`, 1000000000000,"):
        run.load_best_model()
    assert run.load_best_model(Blobs).built


@pytest.mark.parametrize("example", [{"dtype": "float32"}, [3], {"shape": [10**12], "dtype": "float32"}, {"named": 3}])
def test_an_example_of_the_data_that_is_none_is_told(example: Any) -> None:
    weights = Weights(4, 1, [], Snapshot({"example": example}, {}))
    with pytest.raises(RequestError, match=r"checkpoint of trial 4 is damaged: its example of the data cannot be made"):
        assert weights.example
