"""The direction that the name of a metric implies, and objectives that are lists."""

from __future__ import annotations

import pytest

from tune_jobs.keras_tuner import Objective
from tune_jobs.keras_tuner.objective import create_objective, implied_direction

MORE = """accuracy val_accuracy val_acc val_auc val_precision val_recall val_f1_score val_fbeta_score val_r2_score
val_binary_io_u val_mean_io_u val_one_hot_mean_io_u val_pearson_correlation val_concordance_correlation
val_cosine_similarity val_true_positives val_true_negatives val_recall_at_precision val_precision_1 val_auc_12
val_sparse_top_k_categorical_accuracy val_head_accuracy val_sensitivity_at_specificity score"""
LESS = """loss val_loss val_mse val_mae val_mean_absolute_error val_root_mean_squared_error val_log_cosh
val_kl_divergence val_poisson val_false_positives val_false_negatives_3 val_categorical_crossentropy val_hinge
val_mean_absolute_percentage_error val_head_loss val_squared_hinge"""


@pytest.mark.parametrize("metric", MORE.split())
def test_more_is_better(metric: str) -> None:
    assert create_objective(metric) == Objective(metric, "max")


@pytest.mark.parametrize("metric", LESS.split())
def test_less_is_better(metric: str) -> None:
    assert create_objective(metric) == Objective(metric, "min")


def test_a_name_that_implies_nothing_is_refused() -> None:
    assert implied_direction("val_happiness") is None
    with pytest.raises(ValueError, match=r"kt\.Objective\('val_happiness', direction=\"max\"\)"):
        create_objective("val_happiness")


def test_a_wrong_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="`direction` is 'up', but must be 'max' or 'min'"):
        Objective("val_loss", "up")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be the name of a metric"):
        create_objective(3)


def test_several_objectives_are_added_up() -> None:
    objective = create_objective(["val_loss", Objective("val_accuracy", "max")])
    assert objective.name == "multi_objective"
    assert objective.get_value({"val_loss": 0.5, "val_accuracy": 0.9, "loss": 7}) == pytest.approx(-0.4)
    assert not objective.has_value({"val_loss": 0.5})
    assert str(objective) == (
        'MultiObjective(name="multi_objective", direction="min"): [Objective(name="val_loss", direction="min"), '
        'Objective(name="val_accuracy", direction="max")]'
    )


def test_without_an_objective_less_of_the_number_is_better() -> None:
    assert create_objective(None) == Objective("default_objective", "min")
