"""Trials on sources that are interrupted anywhere go on as if they had not been."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from tests.support.sources import BATCH, Batches, Logistic, X, Y, dataset
from trainables import Data, FitOptions
from trainables.testing import TrainableContract


class Prepared(Logistic):
    """Shuffles anew in every epoch, for each trial."""

    def load_data(self) -> Data:
        return Data(dataset(), dataset())

    def prepare(self, data: Data, config: dict[str, Any]) -> Data:
        train = data.train.shuffle(75, seed=1).batch(BATCH)
        return Data(train.filter(lambda x, y: True) if config["unknown"] else train, data.validation.batch(BATCH))


class TestPrepared(TrainableContract):
    trainable = Prepared
    config: ClassVar = {"unknown": False}
    configs = ({"unknown": True},)


class OnlyContinued(TrainableContract):
    """The one promise that depends on how a source is read."""

    __test__ = False
    test_every_epoch_reports_the_objective = None  # type: ignore[assignment]
    test_a_restored_trial_goes_on_as_if_uninterrupted = None  # type: ignore[assignment]
    test_a_reused_worker_trains_like_a_fresh_one = None  # type: ignore[assignment]
    test_each_trial_has_its_own_seed = None  # type: ignore[assignment]


class Streamed(Prepared):
    options = FitOptions(steps_per_epoch=4)


class TestStreamed(OnlyContinued):
    __test__ = True
    trainable = Streamed
    config: ClassVar = {"unknown": False}


class Shuffling(Batches):
    """Shuffles its examples at the end of an epoch, as many do."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = np.arange(len(X))
        self.generator = np.random.default_rng(3)

    def __getitem__(self, index: int) -> Any:
        rows = self.rows[index * BATCH : (index + 1) * BATCH]
        return X[rows], Y[rows]

    def on_epoch_end(self) -> None:
        self.generator.shuffle(self.rows)


class OwnBatches(Logistic):
    options = FitOptions()

    def load_data(self) -> Data:
        return Data(Shuffling(), (X, Y))


class TestOwnBatches(OnlyContinued):
    __test__ = True
    trainable = OwnBatches
    config: ClassVar = {"learning_rate": 0.1}


def of_epoch(epoch: int) -> Iterator[Any]:
    rows = np.random.default_rng(epoch).permutation(len(X))
    for start in range(0, len(X), BATCH):
        yield X[rows[start : start + BATCH]], Y[rows[start : start + BATCH]]


class Generated(Logistic):
    def load_data(self) -> Data:
        return Data(of_epoch, (X, Y))


class TestGenerated(OnlyContinued):
    __test__ = True
    trainable = Generated
    config: ClassVar = {"learning_rate": 0.1}


def test_a_data_loader_is_read_batch_by_batch() -> None:
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), batch_size=BATCH
    )
    worker = Logistic.standalone({}, Data(loader, loader))
    reports = [worker.step(), worker.step()]
    assert [report["batches"] for report in reports] == [10, 10]
    other = Logistic.standalone({}, Data(dataset().batch(BATCH), dataset().batch(BATCH)))
    expected = [other.step(), other.step()]
    np.testing.assert_allclose(
        [report["metrics"]["val_loss"] for report in reports],
        [report["metrics"]["val_loss"] for report in expected],
        rtol=1e-5,
    )
    worker.cleanup()
    other.cleanup()
