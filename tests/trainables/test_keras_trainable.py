"""When a trial is saved, and from what it continues."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.support.outcomes import BeginTrial
from tests.support.tiny_trainables import Tiny, train
from trainables import FitOptions, KerasTrainable
from trainables.settings import REPORTED_KEY, TRIAL_KEY
from trainables.storage.checkpoint import DiskCheckpoints, Snapshot
from trainables.storage.layout import ARCHITECTURE_FILE


def newest(folder: Path) -> Snapshot:
    snapshot = DiskCheckpoints(folder).newest()
    assert snapshot is not None
    return snapshot


def written(worker: KerasTrainable, folder: Path, epochs: int) -> list[str | None]:
    """Return the newest checkpoint after each of some epochs."""
    newest = []
    for _ in range(epochs):
        worker.step()
        worker.wait_until_saved()
        newest.append(next(iter(DiskCheckpoints(folder).names()), None))
    return newest


def test_checkpoints_are_written_at_milestones_and_at_the_end(begin: BeginTrial, tmp_path: Path) -> None:
    worker = begin(Tiny, {TRIAL_KEY: 7}, max_epochs=4, folder=str(tmp_path), milestones=(2,))
    assert written(worker, tmp_path / "0007", 4) == [None, "epoch-000002", "epoch-000002", "epoch-000004"]
    assert DiskCheckpoints(tmp_path / "0007").names() == ["epoch-000004", "epoch-000002"]


def test_a_trial_that_may_be_paused_is_on_disk_when_it_reports(begin: BeginTrial, tmp_path: Path) -> None:
    settings = {"max_epochs": 6, "folder": str(tmp_path), "milestones": (1, 3), "waits_at_milestones": True}
    worker = begin(Tiny, {TRIAL_KEY: 7}, **settings)
    newest = []
    for _ in range(4):
        worker.step()
        newest.append(next(iter(DiskCheckpoints(tmp_path / "0007").names()), None))
    assert newest == ["epoch-000001", "epoch-000001", "epoch-000003", "epoch-000003"]


def test_a_trial_that_paused_and_was_promoted_is_the_one_that_never_paused(begin: BeginTrial, tmp_path: Path) -> None:
    settings = {"max_epochs": 6, "milestones": (1, 3), "waits_at_milestones": True}
    (tmp_path / "whole").mkdir()
    whole = train(begin(Tiny, {TRIAL_KEY: 7}, folder=str(tmp_path / "whole"), **settings), 6)
    (tmp_path / "paused").mkdir()
    workers = [begin(Tiny, {TRIAL_KEY: 1}, folder=str(tmp_path / "paused"), **settings) for _ in range(2)]
    reports = []
    for reported, until, worker in ((0, 1, workers[0]), (1, 3, workers[1]), (3, 6, workers[0])):
        worker.reset_config({TRIAL_KEY: 7, REPORTED_KEY: reported})
        if reported:  # a worker reports again where it begins
            assert worker.step()["metrics"] == reports[-1]["metrics"]
        reports += train(worker, until - reported)
        worker.reset_config({TRIAL_KEY: 2})
        train(worker, 1)  # another trial, between
    assert [report["metrics"] for report in reports] == [report["metrics"] for report in whole]
    snapshots = [DiskCheckpoints(tmp_path / name / "0007").newest() for name in ("whole", "paused")]
    assert snapshots[0].arrays.keys() == snapshots[1].arrays.keys()
    for name, array in snapshots[0].arrays.items():
        np.testing.assert_array_equal(array, snapshots[1].arrays[name])


def test_checkpoints_are_written_when_their_time_has_come(begin: BeginTrial, tmp_path: Path) -> None:
    worker = begin(Tiny, folder=str(tmp_path), checkpoint_every_s=0)
    assert written(worker, tmp_path / "0000", 2) == ["epoch-000001", "epoch-000002"]


def test_a_stopped_trial_is_saved_before_the_next_begins(begin: BeginTrial, tmp_path: Path) -> None:
    worker = begin(Tiny, folder=str(tmp_path))
    train(worker, 2)
    assert DiskCheckpoints(tmp_path / "0000").names() == []
    worker.reset_config({TRIAL_KEY: 1})
    assert newest(tmp_path / "0000").epoch == 2


def test_without_a_folder_nothing_is_written(begin: BeginTrial) -> None:
    worker = begin(Tiny, max_epochs=1, checkpoint_every_s=0)
    (result,) = train(worker, 1)
    assert "notes" not in result


def test_the_architecture_lies_beside_the_checkpoints(begin: BeginTrial, tmp_path: Path) -> None:
    train(begin(Tiny, max_epochs=1, folder=str(tmp_path)), 1)
    text = (tmp_path / "0000" / ARCHITECTURE_FILE).read_text()
    model = keras.models.model_from_json(text)
    model.set_weights(newest(tmp_path / "0000").group("best"))
    assert model.count_params() == 15


class Wider(Tiny):
    """The same trainable after its code was changed."""

    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5), keras.layers.Dense(3)])
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
        return model


class OtherOptimizer(Tiny):
    def build_model(self, config: dict[str, Any]) -> keras.Model:
        model = super().build_model(config)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=True)
        return model


class OtherCallbacks(Tiny):
    def fit_options(self, config: dict[str, Any]) -> FitOptions:
        return FitOptions(callbacks=[keras.callbacks.TerminateOnNaN()])


@pytest.mark.parametrize("changed", [Wider, OtherOptimizer, OtherCallbacks])
def test_a_checkpoint_of_other_code_is_not_used_at_all(begin: BeginTrial, tmp_path: Path, changed: type[Tiny]) -> None:
    """Not even in part: the trial begins with the weights that it would have without it."""
    train(begin(Tiny, max_epochs=1, folder=str(tmp_path)), 1)
    (continued,) = train(begin(changed, max_epochs=1, folder=str(tmp_path)), 1)
    (fresh,) = train(begin(changed, max_epochs=1), 1)
    assert continued["epoch"] == 1
    ((trial, note),) = continued["notes"]
    assert trial == 0
    assert "does not fit" in note
    assert note.endswith("It starts again.")
    assert continued["metrics"] == pytest.approx(fresh["metrics"], rel=1e-5)


def test_training_does_not_wait_for_the_files(
    begin: BeginTrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage takes nothing until it is told to; the epochs go on, and the trial's end waits."""
    storage, save = threading.Event(), DiskCheckpoints.save

    def slow(*arguments: Any) -> str:
        assert storage.wait(60)
        return save(*arguments)

    monkeypatch.setattr(DiskCheckpoints, "save", slow)
    worker = begin(Tiny, max_epochs=4, folder=str(tmp_path), checkpoint_every_s=0)
    assert [worker.step()["epoch"] for _ in range(3)] == [1, 2, 3]
    assert DiskCheckpoints(tmp_path / "0000").names() == []
    storage.set()
    assert worker.step()["done"]
    assert newest(tmp_path / "0000").epoch == 4


def test_a_torn_checkpoint_is_passed_over_and_a_note_says_so(begin: BeginTrial, tmp_path: Path) -> None:
    assert written(begin(Tiny, folder=str(tmp_path), checkpoint_every_s=0), tmp_path / "0000", 2)[-1] == "epoch-000002"
    torn = tmp_path / "0000" / "epoch-000002" / "arrays.npz"
    torn.write_bytes(torn.read_bytes()[:100])
    result = begin(Tiny, folder=str(tmp_path)).step()
    assert result["epoch"] == 1
    ((trial, note),) = result["notes"]
    assert (trial, note.endswith("It goes on from epoch 1.")) == (0, True)
    assert "epoch-000002 cannot be read" in note


@pytest.mark.parametrize(("lost", "going_on"), [(1, "It goes on from epoch 1."), (2, "It starts again.")])
def test_one_line_says_how_a_trial_goes_on_without_its_newest_checkpoints(
    begin: BeginTrial, tmp_path: Path, lost: int, going_on: str
) -> None:
    written(begin(Tiny, folder=str(tmp_path), checkpoint_every_s=0), tmp_path / "0000", 2)
    for name in DiskCheckpoints(tmp_path / "0000").names()[:lost]:
        (tmp_path / "0000" / name / "state.json").write_text('{"epo')
    ((_, note),) = begin(Tiny, {REPORTED_KEY: 2}, folder=str(tmp_path)).step()["notes"]
    assert note.endswith(going_on)


def test_a_trial_whose_checkpoints_are_gone_starts_again_and_a_note_says_so(begin: BeginTrial, tmp_path: Path) -> None:
    worker = begin(Tiny, {TRIAL_KEY: 5, REPORTED_KEY: 3}, folder=str(tmp_path))
    result = worker.step()
    assert result["epoch"] == 1
    assert result["notes"] == [(5, f"No checkpoint of its 3 epochs is left in {tmp_path / '0005'}. It starts again.")]
    assert "notes" not in worker.step()


def test_a_trial_of_which_nothing_is_known_begins_without_a_word(begin: BeginTrial, tmp_path: Path) -> None:
    assert "notes" not in begin(Tiny, {REPORTED_KEY: 0}, folder=str(tmp_path)).step()


def test_a_checkpoint_that_cannot_be_written_is_noted_with_its_trial(
    begin: BeginTrial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last one of a trial may be refused when the next trial has begun: the note has the right number."""

    def full(*arguments: Any) -> None:
        raise ValueError("no")

    worker = begin(Tiny, {TRIAL_KEY: 3}, folder=str(tmp_path), checkpoint_every_s=60)
    worker.step()
    with monkeypatch.context() as patch:
        patch.setattr(DiskCheckpoints, "save", full)
        worker.reset_config({TRIAL_KEY: 4})
    result = worker.step()
    assert [trial for trial, _ in result["notes"]] == [3]
    assert "notes" not in worker.step()


def test_what_a_failed_trial_had_is_on_disk_when_it_is_reported(begin: BeginTrial, tmp_path: Path) -> None:
    class Breaks(Tiny):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            return FitOptions(callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=self.fail_later)])

        def fail_later(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                raise RuntimeError("x" * 10_000)

    results = train(begin(Breaks, folder=str(tmp_path)), 2)
    assert len(results[-1]["error"]) == 2000
    assert newest(tmp_path / "0000").epoch == 1
