"""Estimators of scikit-learn as trainables: one fold a step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ray import cloudpickle
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from search_spaces import Choice, Float, SearchSpace
from tests.support.outcomes import reports_of
from trainables import InvalidTrainable, TrialSettings, cross_validated
from tune_jobs import Experiment, Objective
from tune_jobs.experiment.code_fingerprint import code_fingerprints

X, Y = load_iris(return_X_y=True)
PIPELINE = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))


def folds_of(trainable: Any, config: dict[str, Any], **settings: Any) -> list[Any]:
    worker = trainable.standalone(config, settings=TrialSettings("score", "max", **{"max_epochs": 99, **settings}))
    return [report["metrics"] for report in reports_of(worker)]


def test_a_pipeline_is_divided_and_scored_as_gridsearchcv_does() -> None:
    config = {"logisticregression__C": 0.1}
    folds = folds_of(cross_validated(PIPELINE, X, Y), config)
    search = GridSearchCV(PIPELINE, {"logisticregression__C": [0.1]}).fit(X, Y)
    expected = [search.cv_results_[f"split{number}_test_score"][0] for number in range(5)]
    assert [fold["fold_score"] for fold in folds] == pytest.approx(expected)
    assert folds[-1]["score"] == pytest.approx(search.best_score_)
    assert all(math.isnan(fold["score"]) for fold in folds[:-1])


def test_a_function_makes_what_no_parameter_names() -> None:
    def build(config: dict[str, Any]) -> Any:
        if config["kind"] == "forest":
            return RandomForestClassifier(n_estimators=config["trees"], random_state=0)
        return PIPELINE

    trainable = cross_validated(build, X, Y, cv=3, scoring="f1_macro")
    folds = folds_of(trainable, {"kind": "forest", "trees": 4})
    forest = RandomForestClassifier(n_estimators=4, random_state=0)
    assert [fold["fold_score"] for fold in folds] == pytest.approx(
        list(cross_val_score(forest, X, Y, cv=3, scoring="f1_macro"))
    )
    assert [name.rpartition(".")[2] for name in code_fingerprints(trainable)] == ["build"]


def test_a_stopped_trial_never_ranks_above_a_whole_one() -> None:
    for trainable, config in (
        (cross_validated(PIPELINE, X, Y, cv=4), {"logisticregression__C": 1e-3}),
        (cross_validated(Ridge(), *make_regression(60, 3, noise=99, random_state=0), cv=4,
                         scoring="neg_mean_squared_error"), {"alpha": 1.0}),
    ):  # fmt: skip
        scores = [fold["score"] for fold in folds_of(trainable, config, milestones=(1,))]
        assert scores == sorted(scores)
        assert scores[-1] == folds_of(trainable, config)[-1]["score"]


def test_frames_groups_and_weights_reach_the_estimator() -> None:
    frame = pd.DataFrame({"kind": list("abcabcabcabc"), "size": np.arange(12.0)})
    labels = pd.Series([0, 1] * 6)
    encoder = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    grouped = cross_validated(
        make_pipeline(encoder, LogisticRegression()),
        frame,
        labels,
        cv=GroupKFold(3),
        groups=np.repeat([0, 1, 2], 4),
        metrics=f1_score,
    )
    assert len(folds_of(grouped, {})) == 3
    assert "f1_score" in folds_of(grouped, {})[0]
    weights = np.linspace(1, 9, len(Y))
    weighted = cross_validated(LogisticRegression(max_iter=500), X, Y, cv=3, sample_weight=weights)
    plain = cross_validated(
        LogisticRegression(max_iter=500), X, Y, cv=3, scoring=make_scorer(f1_score, average="macro")
    )
    assert folds_of(weighted, {"C": 1.0})[-1]["score"] != folds_of(plain, {"C": 1.0})[-1]["score"]


def test_a_wrong_value_is_a_failed_trial() -> None:
    worker = cross_validated(PIPELINE, X, Y).standalone({"C": 0.1}, settings=TrialSettings("score", "max"))
    assert "Invalid parameter 'C' for estimator Pipeline" in str(worker.step()["error"])
    with pytest.raises(InvalidTrainable, match="must be an estimator of scikit-learn"):
        cross_validated(LogisticRegression, X, Y)
    with pytest.raises(InvalidTrainable, match="must be an estimator of scikit-learn"):
        cross_validated(3, X, Y)


def test_it_is_the_trainable_of_an_experiment(tmp_path: Path) -> None:
    trainable = cross_validated(PIPELINE, X, Y)
    space = SearchSpace(logisticregression__C=Float(1e-3, 10, log=True), standardscaler__with_mean=Choice(True, False))
    experiment = Experiment(trainable, space, Objective("score", "max"), max_epochs=5, trials=4)
    assert experiment.rungs == (1, 3)
    again = cloudpickle.loads(cloudpickle.dumps(trainable))
    assert again.standalone().build_model({"logisticregression__C": 3.0}).get_params()["logisticregression__C"] == 3.0
