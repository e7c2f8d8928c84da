"""What a run puts into Ray's object store: counted, so that a copy that comes back is noticed."""

import numpy as np
import pytest
import ray

from tests.support.fakes import experiment
from trainables import Data, TrialSettings
from tune_jobs.engine.on_ray.tuner import trainable_for_ray


@pytest.fixture
def stored(monkeypatch) -> list:
    """What was put there."""
    found: list = []
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "put", found.append)
    return found


def test_a_run_stores_its_data_once_and_nothing_of_the_test_set(stored):
    split = (np.zeros((4, 2), np.float32), np.zeros(4, np.int32))
    trainable_for_ray(experiment(), Data(split, split, test=split), "trials", shares_vary=False)
    data, settings = stored
    assert isinstance(settings, TrialSettings)
    assert data.test is None
    assert data.train[0] is split[0]
