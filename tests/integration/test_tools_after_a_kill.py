"""TensorBoard and MLflow after the driver was killed: a plain resume makes what they have complete."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.integration.test_interrupted_sweep import killed_when_it_says
from tests.support.child_process import COMMAND, tune_jobs, wait_until_gone
from tune_jobs.results.run import Run

pytestmark = [pytest.mark.integration, pytest.mark.slow]
OPTIONS = (
    "--searcher",
    "random",
    "--scheduler",
    "none",
    "--trials",
    "3",
    "--max-epochs",
    "20",
    "--max-concurrent",
    "1",
)


def test_a_resumed_run_tells_its_tools_all_that_they_have_missed(lab: Path, ray_folder: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tools = ("--tensorboard", "logs", "--mlflow", "sqlite:///mlflow.db")
    command = [COMMAND, "run", "signs.py", "--name", "told", *OPTIONS, *tools]
    journal = lab / "runs" / "told" / "journal.jsonl"
    killed_when_it_says(command, lab, journal, ('"trial": 1, "epoch": 5',), RAY_TMPDIR=str(ray_folder))
    assert wait_until_gone(ray_folder) == []
    resumed = tune_jobs(lab, "resume", "told", RAY_TMPDIR=str(ray_folder))
    assert resumed.returncode == 0, resumed.stderr
    assert "callback" not in resumed.stdout
    run = Run(journal.parent)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{lab / 'mlflow.db'}")
    logged = client.search_runs([client.get_experiment_by_name("tune-jobs").experiment_id])
    found = {made.data.tags["tune_jobs.trial"]: made for made in logged}
    assert sorted(found) == ["0", "1", "2", "none"]
    assert {made.info.status for made in logged} == {"FINISHED"}
    for number, trial in run.history().trials.items():
        expected = {epoch.epoch: epoch.metrics["val_loss"] for epoch in trial.epochs.values()}
        assert list(expected) == list(range(1, 21))
        history = client.get_metric_history(found[str(number)].info.run_id, "val_loss")
        assert {metric.step: metric.value for metric in history} == expected
        assert len(history) == 20
        events = EventAccumulator(str(lab / "logs" / "told" / f"{number:04}"))
        events.Reload()
        scalars = {each.step: each.value for each in events.Scalars("val_loss")}
        assert scalars.keys() == expected.keys()
        assert all(math.isclose(scalars[step], value, rel_tol=1e-5) for step, value in expected.items())
    left_out = tune_jobs(lab, "resume", "told", "--trials", "4", "--no-tools", RAY_TMPDIR=str(ray_folder))
    assert left_out.returncode == 0, left_out.stderr
    assert not (lab / "logs" / "told" / "0003").exists()
    again = tune_jobs(lab, "resume", "told", "--trials", "5", RAY_TMPDIR=str(ray_folder))
    assert again.returncode == 0, again.stderr
    assert sorted(folder.name for folder in (lab / "logs" / "told").iterdir()) == [f"{trial:04}" for trial in range(5)]
