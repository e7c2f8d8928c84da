"""The published contract, over the shipped trainables and over one with everything that makes it hard."""

from __future__ import annotations

from typing import Any, ClassVar

import keras
import pytest

from tests.support.tiny_trainables import Everything, Tiny, tiny_data
from trainables import Data
from trainables.examples.digits_mlp import DigitsMlp
from trainables.report import Report
from trainables.testing import TrainableContract


def few_digits() -> Data:
    data = DigitsMlp.standalone().load_data()
    (x, y), (validation_x, validation_y) = data.train, data.validation
    return Data((x[:256], y[:256]), (validation_x[:64], validation_y[:64]))


class TestDigitsMlp(TrainableContract):
    trainable = DigitsMlp
    config: ClassVar = {"units": [16], "dropout": 0.2, "optimizer": "adam", "learning_rate": 0.01, "batch_size": 64}
    configs: ClassVar = [
        {
            "units": [8],
            "dropout": 0.0,
            "optimizer": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.9,
            "batch_size": 32,
        }
    ]
    data = few_digits()
    epochs = 2


class TestEverything(TrainableContract):
    trainable = Everything
    config: ClassVar = {"patience": 4}
    objective = ("val_loss", "min")
    epochs = 6

    def test_the_trial_is_one_whose_callbacks_matter(self) -> None:
        run = self._uninterrupted(self.config)
        rates = [result["learning_rate"] for result in run.results]
        assert len(set(rates)) > 1, "ReduceLROnPlateau did nothing"
        assert run.results[-1]["done"], "EarlyStopping did nothing"


class Unseeded(Tiny):
    """Breaks the contract: its state is not where a checkpoint looks."""

    steps = 0

    def step(self) -> Report:
        Unseeded.steps += 1
        result = super().step()
        result["metrics"]["val_loss"] += Unseeded.steps
        return result


class Fixed(Tiny):
    """Breaks the contract: every trial begins with the same weights."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        keras.utils.set_random_seed(0)
        return super().build_model(config)


def contract_of(broken: type[Tiny]) -> TrainableContract:
    class Contract(TrainableContract):
        trainable = broken
        config: ClassVar = {}
        data = tiny_data(16)
        epochs = 2

    return Contract()


def test_hidden_state_breaks_the_contract() -> None:
    contract = contract_of(Unseeded)
    with pytest.raises(AssertionError, match="saved and restored, epoch 2: val_loss differs"):
        contract.test_a_restored_trial_goes_on_as_if_uninterrupted()


def test_a_fixed_seed_breaks_the_contract() -> None:
    with pytest.raises(AssertionError, match=r"fixed seed in Fixed\.build_model"):
        contract_of(Fixed).test_each_trial_has_its_own_seed()


def test_a_failing_trial_shows_its_traceback() -> None:
    class Failing(Tiny):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            raise ArithmeticError("no such model")

    with pytest.raises(AssertionError, match=r"(?s)Traceback.*no such model"):
        contract_of(Failing).test_every_epoch_reports_the_objective()
