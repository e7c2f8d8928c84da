"""What a run puts into Ray's object store, counted, so that a copy that comes back is noticed."""

from __future__ import annotations

import numpy as np
import pytest
import ray

from tests.support.fakes import experiment
from trainables import Data, TrialSettings
from trainables.worker import SentClass
from tune_jobs.engine.on_ray.tuner import trainable_for_ray


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The objects that were put into the store."""
    objects: list[object] = []
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "put", objects.append)
    return objects


def test_a_run_stores_its_data_once_and_nothing_of_the_test_set(stored: list[object]) -> None:
    split = (np.zeros((4, 2), np.float32), np.zeros(4, np.int32))
    trainable_for_ray(experiment(), Data(split, split, test=split), "trials", shares_vary=False)
    sent, data, settings = stored
    assert isinstance(sent, SentClass)
    assert isinstance(settings, TrialSettings)
    assert isinstance(data, Data)
    assert data.test is None
    assert data.train[0] is split[0]
