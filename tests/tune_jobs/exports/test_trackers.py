"""MLflow and Weights & Biases open what a run has told them: complete, also after a resume."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.searched_runs import make_searched_run
from tests.support.sessions import follow_in_two_sessions
from tune_jobs.exports.mlflow_runs import MLflow
from tune_jobs.exports.wandb_files import WandB
from tune_jobs.results import Status
from tune_jobs.results.run import Run

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.parametrize(("share", "is_killed"), [(0.5, False), (0.5, True), (1.0, True)])
def test_mlflow_reads_every_metric_once(run: Run, tmp_path: Path, share: float, is_killed: bool) -> None:
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    follow_in_two_sessions(lambda: MLflow(uri), run, share, is_killed=is_killed)
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("tune-jobs")
    found = {made.data.tags["tune_jobs.trial"]: made for made in client.search_runs([experiment.experiment_id])}
    assert len(found) == 13
    assert found["none"].info.status == "FINISHED"
    for number, trial in run.history().trials.items():
        made = found[str(number)]
        assert made.data.tags["mlflow.parentRunId"] == found["none"].info.run_id
        assert made.data.params["dropout"] == str(trial.config["dropout"])
        history = client.get_metric_history(made.info.run_id, "val_accuracy")
        assert [metric.step for metric in history] == list(trial.epochs)
        ended = {Status.COMPLETED: "FINISHED", Status.STOPPED: "FINISHED"}.get(trial.status, "FAILED")
        assert made.info.status == ended


def test_wandb_files_hold_every_trial_once(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    from wandb.proto import wandb_internal_pb2

    small = make_searched_run(tmp_path, "small", 3, 3, is_stopping=False)
    follow_in_two_sessions(lambda: WandB(tmp_path / "files"), small)
    folders = list((tmp_path / "files" / "wandb").glob("offline-run-*"))
    assert sorted(folder.name.rsplit("-", 1)[1] for folder in folders) == ["0000", "0001", "0002"]
    for folder in folders:
        kinds = []
        for content in log_records(next(folder.glob("*.wandb")).read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(content)
            kinds.append(record.WhichOneof("record_type"))
        assert kinds.count("history") == 3
        assert kinds.count("run") >= 1
        assert kinds.count("exit") == 1


def test_mlflow_keeps_runs_of_one_name_apart(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    for storage in ("first", "second"):  # as a run that replaces another one
        small = make_searched_run(tmp_path / storage, "same", 2, 2, is_stopping=False)
        follow_in_two_sessions(lambda: MLflow(uri), small)
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("tune-jobs")
    assert len(client.search_runs([experiment.experiment_id])) == 6


def log_records(content: bytes) -> Iterator[bytes]:
    """Yield the records of a file of W&B's: a log of LevelDB with 7 bytes before it. Their package reads none."""
    block, position, parts = 2**15, 7, b""
    while position + 7 <= len(content):
        if block - position % block < 7:
            position += block - position % block
            continue
        length, kind = int.from_bytes(content[position + 4 : position + 6], "little"), content[position + 6]
        parts += content[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""
