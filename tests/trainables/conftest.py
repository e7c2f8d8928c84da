"""Trials that end with their test."""

import pytest

from trainables import TrialSettings


@pytest.fixture
def begin():
    """Begins trials, and ends them with the test."""
    workers = []

    def begin_trial(trainable, config=None, data=None, **settings):
        workers.append(trainable.standalone(config or {}, data, TrialSettings(**settings)))
        return workers[-1]

    yield begin_trial
    for worker in workers:
        worker.cleanup()
