"""The shipped experiments: each is valid, and does what its docstring says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.examples import mnist_joint, mnist_sweeps
from tests.support.examples import with_examples
from trainables.examples.mnist_dense import MnistDense
from tune_jobs.experiment.experiment import Experiment
from tune_jobs.experiment.overrides import Overrides
from tune_jobs.loading.loader import load
from tune_jobs.loading.shipped import list_shipped
from tune_jobs.searchers import WAIT

NAMES = list(list_shipped())
NAMED_ONLY = (
    "loss",
    "activation",
    "early_stopping",
    "batch_normalisation",
    "weight_constraint",
    "activity_regularisation",
    "input_noise",
)
"""The hyperparameters that the second reference names without trying them."""


def experiment(name: str) -> Experiment:
    return load(name).experiment


def first_config(name: str) -> dict[str, Any]:
    declared = experiment(name)
    search = declared.searcher.start(declared.space, seed=0, rungs=declared.rungs, max_epochs=declared.max_epochs)
    config = search.propose(0)
    assert isinstance(config, dict)
    return config


def test_the_references_are_shipped() -> None:
    assert {"fashion_mnist_dense", "mnist_sweeps", "mnist_joint", "mnist_mlp", "fashion_mnist_cnn"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_it(name: str) -> None:
    declared = experiment(name)
    assert declared.problems() == []
    assert declared.space.contains(first_config(name))
    assert declared.planned_epochs is not None, "it must end by itself"


@pytest.mark.parametrize("name", NAMES)
def test_its_keys_are_those_of_its_trainable(name: str) -> None:
    declared = experiment(name)
    defaults = getattr(declared.trainable, "defaults", None)  # the examples in one file have none
    assert defaults is None or set(declared.space.parameters) <= {*defaults, "batch_size"}


@pytest.mark.parametrize("name", NAMES)
def test_every_searcher_that_needs_nothing_can_replace_its_own(name: str) -> None:
    for searcher in ("hyperopt", "random"):
        changed = Overrides(searcher, fields={"trials": 3}).apply(experiment(name))
        assert changed.problems() == []


def test_the_sweeps_begin_with_keras_defaults() -> None:
    assert first_config("mnist_sweeps") == {
        "layers": 2,
        "nodes": 64,
        "optimizer": "adam",
        "batch_size": 2000,
        "learning_rate": 1e-3,
        "momentum": 0.9,
        "regulariser": None,
        "dropout": 0.0,
    }


def sweep(scores: Callable[[dict[str, Any]], float]) -> list[dict[str, Any]]:
    """Return every configuration of the sweeps, in order, when ``scores(config)`` is the objective."""
    declared = experiment("mnist_sweeps")
    search = declared.searcher.start(declared.space, seed=0, rungs=declared.rungs, max_epochs=declared.max_epochs)
    configs: list[dict[str, Any]] = []
    while isinstance(config := search.propose(len(configs)), dict):
        search.report(len(configs), 1, -scores(config))
        search.end(len(configs), failed=False, trained_out=True)
        configs.append(config)
    assert config is not WAIT
    return configs


def test_the_sweeps_are_the_grids_of_the_reference() -> None:
    configs = sweep(lambda config: config["dropout"])
    assert len(configs) == 33 == experiment("mnist_sweeps").planned_trials
    tried = {name: {config.get(name) for config in configs} for name in experiment("mnist_sweeps").space.parameters}
    assert tried == {
        "layers": {2, 3, 4},
        "nodes": {64, 128, 256},
        "optimizer": {"adam", "adagrad", "rmsprop", "sgd"},
        "batch_size": {2000, 5000, 10_000, 30_000},
        "learning_rate": {1e-1, 1e-2, 1e-3, 1e-4},
        "momentum": {0.99, 0.9, 0.5, 0.1, None},
        "regulariser": {None, "l1", "l2"},
        "strength": {1e-1, 1e-2, 1e-3, 1e-4, None},
        "dropout": {0.0, 0.1, 0.25, 0.5, 0.75},
    }
    assert configs[-1]["dropout"] == 0.75


def test_with_adagrad_the_step_of_momentum_is_skipped() -> None:
    configs = sweep(lambda config: config["optimizer"] == "adagrad")
    assert len(configs) == 33 - 3


def test_the_joint_search_has_the_budget_of_the_sweeps() -> None:
    assert experiment("mnist_joint").total_epochs == experiment("mnist_sweeps").planned_epochs


def test_the_joint_space_also_covers_what_the_reference_only_names() -> None:
    space = experiment("mnist_joint").space
    assert set(NAMED_ONLY) <= set(space.parameters)
    assert all(space.parameters[name].size > 1 for name in NAMED_ONLY)


@given(seed=st.integers(0, 2**32 - 1))
@with_examples(100)
def test_whatever_the_sweeps_train_the_joint_search_can(seed: int) -> None:
    joint, defaults = mnist_joint.SPACE, MnistDense.defaults
    config = mnist_sweeps.SPACE.sample(np.random.default_rng(seed))
    units = [config.pop("nodes")] * config["layers"]
    left_at_default = {name: defaults[name] for name in NAMED_ONLY}
    assert joint.validate({**left_at_default, **config, "units": units}) == []


def test_the_third_reference_keeps_to_its_budget() -> None:
    declared = experiment("mnist_mlp")
    assert (declared.planned_trials, declared.max_epochs, declared.planned_epochs) == (10, 10, 100)


def test_the_fourth_reference_compares_equal_budgets() -> None:
    declared = experiment("fashion_mnist_cnn")
    assert (declared.searcher.NAME, declared.planned_trials, declared.max_epochs) == ("random", 10, 10)
