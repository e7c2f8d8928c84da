"""The contract between a worker and the driver."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from trainables.report import Epoch, GpuMemory, diverged_metric, has_objective


def test_metrics_are_also_at_the_top_level_and_never_in_place_of_a_key_of_the_contract() -> None:
    metrics = {"loss": 0.5, "epoch": 99.0, "done": 1.0}
    assert Epoch(3, metrics, 0.25).report(done=False) == {
        "loss": 0.5,
        "epoch": 3,
        "metrics": metrics,
        "seconds": 0.25,
        "mistake": None,
        "error": None,
        "done": False,
    }


def test_the_memory_of_the_gpu_is_reported_where_it_was_measured() -> None:
    memory = GpuMemory(peak_bytes=1, total_bytes=2)
    assert Epoch(1, {}, 0.1).report(done=True, gpu_memory=memory)["gpu_memory"] == memory
    assert "gpu_memory" not in Epoch(1, {}, 0.1).report(done=True)


def test_an_epoch_survives_json() -> None:
    epoch = Epoch(2, {"loss": 0.5}, 1.5)
    assert Epoch.from_json(epoch.to_json()) == epoch


@pytest.mark.parametrize(
    ("metrics", "objective", "diverged"),
    [
        ({"loss": math.nan, "val_accuracy": 0.1}, "val_accuracy", "loss"),
        ({"loss": 0.1, "val_loss": math.inf}, "val_loss", "val_loss"),
        ({"loss": 0.1, "val_loss": math.inf}, "val_accuracy", None),
        ({"loss": 0.1}, None, None),
        ({"loss": 0.1, "val_loss": 0.1, "val_precision": math.nan}, "val_precision", None),
        ({"loss": 0.1, "val_perplexity": math.inf}, "val_perplexity", None),
        ({"loss": 0.1, "val_loss": math.nan, "val_precision": math.nan}, "val_precision", "val_precision"),
        ({"loss": math.nan, "val_precision": math.nan}, "val_precision", "val_precision"),
        ({"loss": 0.1, "val_decoder_loss": math.nan}, "val_decoder_loss", "val_decoder_loss"),
        ({"loss": math.inf}, "loss", "loss"),
        ({"val_precision": math.nan}, "val_precision", "val_precision"),
    ],
)
def test_a_loss_diverges_and_an_objective_beside_finite_losses_has_no_value_yet(
    metrics: Mapping[str, float], objective: str | None, diverged: str | None
) -> None:
    assert diverged_metric(metrics, objective) == diverged
    if diverged is not None:
        assert not has_objective(metrics, objective)


def test_an_epoch_counts_with_a_finite_objective_and_a_finite_loss() -> None:
    assert has_objective({"loss": 0.1, "val_precision": 0.0}, "val_precision")
    assert not has_objective({"loss": 0.1, "val_precision": math.nan}, "val_precision")
    assert not has_objective({"loss": math.nan, "val_accuracy": 0.1}, "val_accuracy")
    assert not has_objective({"loss": 0.1}, "val_accuracy")
    assert not has_objective({"loss": 0.1}, None)
