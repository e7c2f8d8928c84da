"""Gradients that were traced are forgotten, TensorFlow's own stay, and without the private name all goes on."""

from __future__ import annotations

import pytest
from tensorflow.python.framework import ops

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Swish
from trainables.internals.gradient_registry import forget_traced_gradients


def traced_gradients() -> list[str]:
    return [name for name in ops.gradient_registry.list() if name.startswith("CustomGradient-")]


def test_traced_gradients_are_forgotten(begin: BeginTrial) -> None:
    """The pinned name: a model with an activation whose gradient is its own registers one when it is traced."""
    assert begin(Swish).step()["error"] is None
    others = set(ops.gradient_registry.list()) - set(traced_gradients())
    assert traced_gradients()
    forget_traced_gradients()
    assert traced_gradients() == []
    assert set(ops.gradient_registry.list()) == others


def test_without_the_private_name_trials_are_trained(begin: BeginTrial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainables.internals.gradient_registry._REGISTRY", "_gone")
    worker = begin(Swish)
    assert worker.step()["error"] is None
    worker.reset_config({})
    assert worker.step()["error"] is None
    assert traced_gradients()


def test_without_the_private_module_nothing_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ops, "gradient_registry")
    forget_traced_gradients()
