"""The private name by which samplers of Optuna get the run's seed: pinned, and done without."""

from __future__ import annotations

import sys

import optuna
import pytest

from tune_jobs.searchers.internals.optuna_seeds import random_states, with_seed


def test_the_generators_are_where_they_were() -> None:
    assert len(list(random_states(optuna.samplers.RandomSampler()))) == 1
    assert len(list(random_states(optuna.samplers.TPESampler()))) == 2
    assert list(random_states(optuna.samplers.QMCSampler()))


def test_the_users_sampler_stays_as_it_is() -> None:
    sampler = optuna.samplers.RandomSampler(seed=1)
    (state,) = random_states(sampler)
    before = state.rng.get_state()[1].tolist()
    (copied,) = random_states(with_seed(sampler, [1, 2]))
    assert state.rng.get_state()[1].tolist() == before != copied.rng.get_state()[1].tolist()


def test_without_the_name_a_sampler_keeps_its_own_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna.samplers._lazy_random_state", None)
    sampler = with_seed(optuna.samplers.RandomSampler(seed=1), [1, 2])
    assert isinstance(sampler, optuna.samplers.RandomSampler)
