"""When a trial is saved, and from what it continues."""

import keras
import pytest
from tiny_trainables import Tiny, train

from trainables import FitOptions, checkpoint
from trainables.settings import TRIAL_KEY


def written(results) -> list:
    return [result.get("checkpoint") for result in results]


def test_checkpoints_are_written_at_milestones_and_at_the_end(begin, tmp_path):
    worker = begin(Tiny, {TRIAL_KEY: 7}, max_epochs=4, folder=str(tmp_path), milestones=(2,))
    assert written(train(worker, 4)) == [None, "epoch-000002", None, "epoch-000004"]
    assert checkpoint.names(tmp_path / "0007") == ["epoch-000004", "epoch-000002"]


def test_checkpoints_are_written_when_their_time_has_come(begin, tmp_path):
    worker = begin(Tiny, folder=str(tmp_path), checkpoint_every_s=0)
    assert written(train(worker, 2)) == ["epoch-000001", "epoch-000002"]


def test_a_stopped_trial_is_saved_before_the_next_begins(begin, tmp_path):
    worker = begin(Tiny, folder=str(tmp_path))
    assert written(train(worker, 2)) == [None, None]
    worker.reset_config({TRIAL_KEY: 1})
    assert checkpoint.newest(tmp_path / "0000").state["epoch"] == 2


def test_without_a_folder_nothing_is_written(begin):
    assert written(train(begin(Tiny, max_epochs=1, checkpoint_every_s=0), 1)) == [None]


def test_the_architecture_lies_beside_the_checkpoints(begin, tmp_path):
    train(begin(Tiny, max_epochs=1, folder=str(tmp_path)), 1)
    text = (tmp_path / "0000" / checkpoint.ARCHITECTURE_FILE).read_text()
    model = keras.models.model_from_json(text)
    model.set_weights(checkpoint.newest(tmp_path / "0000").group("best"))
    assert model.count_params() == 15


class Wider(Tiny):
    """The same trainable after its code was changed."""

    def build_model(self, config):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5), keras.layers.Dense(3)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
        return model


class OtherOptimizer(Tiny):
    def build_model(self, config):
        model = super().build_model(config)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model


class OtherCallbacks(Tiny):
    def fit_options(self, config):
        return FitOptions(callbacks=[keras.callbacks.TerminateOnNaN()])


@pytest.mark.parametrize("changed", [Wider, OtherOptimizer, OtherCallbacks])
def test_a_checkpoint_of_other_code_is_not_used_at_all(begin, tmp_path, changed):
    """Not even in part: the trial begins with the weights that it would have without it."""
    train(begin(Tiny, max_epochs=1, folder=str(tmp_path)), 1)
    (continued,) = train(begin(changed, max_epochs=1, folder=str(tmp_path)), 1)
    (fresh,) = train(begin(changed, max_epochs=1), 1)
    assert continued["epoch"] == 1
    assert continued["metrics"] == pytest.approx(fresh["metrics"], rel=1e-5)
