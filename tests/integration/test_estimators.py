"""Estimators of scikit-learn, cross-validated on Ray."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tune_jobs
from search_spaces import Float, SearchSpace
from tests.support.child_process import tune_jobs as command
from trainables import cross_validated
from tune_jobs import Experiment, HyperOpt, Objective

pytestmark = [pytest.mark.integration, pytest.mark.slow]

X, Y = load_iris(return_X_y=True)


def test_asha_stops_a_pipeline_after_some_folds(tmp_path: Path) -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    space = SearchSpace(logisticregression__C=Float(1e-6, 10, log=True))
    experiment = Experiment(
        cross_validated(pipeline, X, Y, cv=9), space, Objective("score", "max"), HyperOpt(), max_epochs=9, trials=12
    )
    run = tune_jobs.run(experiment, storage=tmp_path, name="iris")
    frame = tune_jobs.cv_results(run)
    assert len(frame) == 12
    whole = frame["split8_test_score"].notna()
    assert 0 < whole.sum() < 12
    assert frame["mean_test_score"].notna().equals(whole)
    assert run.best_config == frame.loc[frame["rank_test_score"].idxmin(), "params"]
    best = run.history().trials[run.best_trial].best(run.objective)
    assert best is not None
    assert math.isclose(best.metrics["score"], frame["mean_test_score"].max())
    board = command(tmp_path, "leaderboard", "iris", "--storage", str(tmp_path))
    assert board.returncode == 0, board.stderr
    for other in (["evaluate", "iris"], ["export", "iris", "--output", "model.keras"], ["refit", "iris"]):
        refused = command(tmp_path, *other, "--storage", str(tmp_path))
        assert refused.returncode == 2, refused.stderr
        assert "Traceback" not in refused.stderr
