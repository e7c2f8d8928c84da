"""Estimators of scikit-learn, cross-validated one fold a step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tune_jobs.keras_tuner as kt
from tests.support.outcomes import reports_of
from trainables import TrialSettings
from tune_jobs.schedulers import ASHA, NoScheduler

X, Y = load_iris(return_X_y=True)
SCORE = kt.Objective("score", "max")
FOLDS = StratifiedKFold(4)


def build_model(hp: kt.HyperParameters) -> Any:
    if hp.Choice("model_type", ["forest", "ridge"]) == "forest":
        return RandomForestClassifier(n_estimators=hp.Int("trees", 5, 15, step=5), random_state=0)
    return make_pipeline(StandardScaler(), RidgeClassifier(alpha=hp.Float("alpha", 1e-3, 1, sampling="log")))


def tuner_of(folder: Path, oracle: Any = None, **others: Any) -> Any:
    oracle = oracle or kt.oracles.RandomSearchOracle(SCORE, max_trials=4)
    return kt.SklearnTuner(oracle, build_model, cv=FOLDS, directory=folder, project_name="iris", **others)


def folds_of(tuner: Any, config: dict[str, Any]) -> list[Any]:
    tuner._folds = FOLDS.get_n_splits()  # noqa: SLF001 - no public way without Ray
    experiment = tuner._experiment(tuner._plan((X, Y), {}))  # noqa: SLF001
    worker = experiment.trainable.standalone(
        config,
        experiment.trainable.standalone().load_data(),
        TrialSettings("score", "max", max_epochs=experiment.max_epochs),
    )
    return [report["metrics"] for report in reports_of(worker)]


@pytest.mark.parametrize("config", [{"model_type": "forest", "trees": 5}, {"model_type": "ridge", "alpha": 0.01}])
def test_each_fold_is_a_step_and_the_score_is_their_mean(config: dict[str, Any], tmp_path: Path) -> None:
    tuner = tuner_of(tmp_path, metrics=[accuracy_score])
    folds = folds_of(tuner, config)
    estimator = build_model(tuner.oracle.found.hyperparameters(config))
    expected = cross_val_score(estimator, X, Y, cv=FOLDS)
    assert [fold["fold_score"] for fold in folds] == pytest.approx(list(expected))
    assert [math.isnan(fold["score"]) for fold in folds] == [True, True, True, False]
    assert folds[-1]["score"] == pytest.approx(expected.mean())
    assert folds[-1]["accuracy_score"] == pytest.approx(expected.mean())


def test_a_scorer_may_be_named(tmp_path: Path) -> None:
    named = folds_of(tuner_of(tmp_path, scoring="f1_macro"), {"model_type": "ridge", "alpha": 0.1})
    made = folds_of(
        tuner_of(tmp_path, scoring=make_scorer(f1_score, average="macro")), {"model_type": "ridge", "alpha": 0.1}
    )
    assert named[-1]["score"] == made[-1]["score"]


def test_asha_can_stop_a_bad_one_after_a_fold(tmp_path: Path) -> None:
    tuner = tuner_of(tmp_path, kt.oracles.ASHAOracle(SCORE, max_trials=4))
    folds = folds_of(tuner, {"model_type": "ridge", "alpha": 0.1})
    scores = [fold["fold_score"] for fold in folds]
    # A fold that is still to come counts as 0: no stopped trial ranks above a whole one.
    assert [fold["score"] for fold in folds] == pytest.approx([sum(scores[: count + 1]) / 4 for count in range(4)])
    tuner._folds = 4  # noqa: SLF001
    experiment = tuner._experiment(tuner._plan((X, Y), {}))  # noqa: SLF001
    assert (type(experiment.scheduler), experiment.max_epochs) == (ASHA, 4)
    plain = tuner_of(tmp_path)
    plain._folds = 4  # noqa: SLF001
    assert isinstance(plain._experiment(plain._plan((X, Y), {})).scheduler, NoScheduler)  # noqa: SLF001


def test_a_wrong_request_is_told(tmp_path: Path) -> None:
    with pytest.raises(kt.FatalError, match=r'must be kt\.Objective\("score", "max"\)'):
        tuner_of(tmp_path, kt.oracles.RandomSearchOracle("val_loss"))
    with pytest.raises(kt.FatalError, match="give `cv` more folds"):
        tuner_of(tmp_path, executions_per_trial=2)
    tuner = tuner_of(tmp_path)
    with pytest.raises(kt.FatalError, match="The examples are not known before search"):
        tuner.load_model(None)
