"""A worker keeps few models and no more than fit, with the variables of fresh ones, and its data as tensors once."""

from __future__ import annotations

import gc
import weakref

import keras
import numpy as np
import pytest

from tests.support.arrays import aligned, read_only
from tests.support.tiny_trainables import blobs
from tests.support.traced import Traced, built_model
from trainables import Data, FitOptions
from trainables.input.gathered_steps import GatheredInput
from trainables.reuse.worker_cache import InputCache, KeptModels, existence_probe

OPTIMIZERS = ["SGD", "Adam", "AdamW", "Adagrad", "Adadelta", "Adafactor", "Adamax", "Ftrl", "Lamb", "Lion", "Muon"]
OPTIMIZERS += ["Nadam", "RMSprop"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_kept_model_begins_with_every_variable_of_the_fresh_one(optimizer: str) -> None:
    used = built_model({"optimizer": optimizer, "rate": 0.3}, 1)
    fresh = built_model({"optimizer": optimizer, "rate": 0.01}, 2)
    assert used.fingerprint is not None
    assert fresh.fingerprint is not None
    before = [np.array(variable) for variable in fresh.fingerprint.variables]
    for variable in used.fingerprint.variables:
        variable.assign(np.ones(variable.shape) * 7)
    used.copy_values(fresh)
    assert len(before) > len(fresh.model.variables) + 1  # the optimizer's, the metrics'
    for variable, value in zip(used.fingerprint.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), value, variable.path)


def test_the_models_that_are_kept_are_few() -> None:
    kept = KeptModels(2)
    models = []
    for units in range(1, 6):
        used = built_model({"units": units})
        used.model.train_function = len
        kept.give_back(used)
        models.append(weakref.ref(used.model))
        del used
    gc.collect()
    assert len(kept) == 2
    assert [model() is not None for model in models] == [False, False, False, True, True]


def test_a_model_larger_than_what_may_be_kept_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, used = KeptModels(), built_model({})
    used.model.train_function = len
    assert used.fingerprint is not None
    assert used.fingerprint.nbytes > 4 * used.model.count_params()
    monkeypatch.setattr("trainables.reuse.worker_cache._MOST_MODEL_BYTES", used.fingerprint.nbytes - 1)
    kept.give_back(used)
    assert len(kept) == 0


def test_a_fresh_model_that_nobody_holds_ceases_to_exist() -> None:
    fresh = built_model({})
    exists = existence_probe(fresh)
    assert exists()
    del fresh
    assert not exists()


def test_a_fresh_model_of_which_somebody_holds_a_part_still_exists() -> None:
    fresh = built_model({})
    exists, optimizer = existence_probe(fresh), fresh.model.optimizer
    del fresh
    assert exists()
    assert isinstance(optimizer, keras.optimizers.Optimizer)


def test_arrays_are_not_copied_and_converted_once() -> None:
    x, y = (aligned(array) for array in blobs(48))
    inputs = InputCache(Data(train=(read_only(x), read_only(y)), validation=blobs(24)))
    model = Traced.standalone().build_model({})
    first, second = (inputs.training(model, size, seed, FitOptions()) for seed, size in enumerate((20, 7)))
    assert isinstance(first, GatheredInput)
    assert isinstance(second, GatheredInput)
    np.testing.assert_array_equal(first.rows.arrays[0].numpy(), x)
    x += 100  # what reads the same memory sees this; what copied it does not
    np.testing.assert_array_equal(first.rows.arrays[0].numpy(), x)
    assert all(one is other for one, other in zip(first.rows.arrays, second.rows.arrays, strict=True))
