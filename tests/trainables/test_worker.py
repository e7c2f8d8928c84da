"""Ray gets a class of ours that holds the user's: names of Ray's and of ours that the user takes do no harm."""

from __future__ import annotations

import gc
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import ray
from ray import tune

from tests.support.tiny_trainables import Tiny, tiny_data
from trainables import Data, FitOptions, KerasTrainable, TrialSettings
from trainables.before_ray.sent_class import SentClass, pack, unpack
from trainables.worker import SharedWorker, Worker

SETTINGS = TrialSettings("val_loss", "min", max_epochs=2)
CHANCE_NAMES = sorted({*dir(tune.Trainable), *dir(KerasTrainable), "_trial", "_data", "_cache", "_settings"})


def worker_of(sent: SentClass) -> Worker:
    return Worker(sent, tiny_data(), SETTINGS)


def trained(worker: Worker) -> list[dict[str, Any]]:
    results = [worker.train(config) for config in ({}, None, {}, None)]
    worker.cleanup()
    return [{"epoch": result["epoch"], "done": result["done"], "error": result["error"]} for result in results]


PLAIN = [{"epoch": epoch, "done": epoch == 2, "error": None} for epoch in (1, 2, 1, 2)]


def test_a_worker_trains_as_the_class_it_holds() -> None:
    assert trained(worker_of(pack(Tiny))) == PLAIN


def test_names_of_ray_do_no_harm_as_methods() -> None:
    def by_chance(self: Any, epoch: int, logs: Any) -> None:
        raise AssertionError("nobody calls it")

    ours = ("setup", "step", "reset_config", "cleanup")
    names = [name for name in vars(tune.Trainable) if not name.startswith("__") and name not in ours]
    assert {"stop", "train", "save", "restore", "reset", "iteration", "logdir"} <= set(names)
    assert trained(worker_of(pack(type("Clash", (Tiny,), dict.fromkeys(names, by_chance))))) == PLAIN


def test_attributes_of_the_instance_do_no_harm() -> None:
    """All names that Ray's Trainable or ours has, but those of the data model."""

    class Clash(Tiny):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            mine = ("build_model", "fit_options", "load_data", "prepare", "batch_size", "reuse_models", "hypergradient")
            for name in CHANCE_NAMES:
                if not name.startswith(("__", "_KerasTrainable__")) and name not in mine:
                    setattr(self, name, "by chance")
            return super().build_model(config)

    assert trained(worker_of(pack(Clash))) == PLAIN


def test_attributes_that_load_data_sets_do_no_harm() -> None:
    class Clash(Tiny):
        def load_data(self) -> Data:
            self.train = self.config = self.iteration = self.logdir = self.trial_id = self.current_trial = 5  # type: ignore
            return super().load_data()

    trainable = Clash.standalone()
    trainable.load_data()
    assert (trainable.train, trainable.iteration, trainable.current_trial) == (5, 5, 5)


def test_an_init_of_the_users_is_called_in_driver_and_worker() -> None:
    class Own(Tiny):
        def __init__(self) -> None:
            self.words = 7

        def build_model(self, config: dict[str, Any]) -> keras.Model:
            assert self.words == 7
            return super().build_model(config)

    assert Own.standalone().words == 7
    assert trained(worker_of(pack(Own))) == PLAIN


def test_a_frozen_dataclass_is_a_trainable() -> None:
    assert trained(worker_of(pack(dataclass(frozen=True)(type("Frozen", (Tiny,), {}))))) == PLAIN


def test_methods_of_ours_that_do_not_do_their_work_are_told() -> None:
    class Stays(Tiny):
        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

    class Silent(Tiny):
        def step(self) -> Any:
            super().step()

    worker = worker_of(pack(Stays))
    assert worker.train({})["epoch"] == 1
    assert worker.train({})["mistake"] == (
        "Stays.reset_config did not begin the next trial: leave the method out, or let it return "
        "super().reset_config(new_config)."
    )
    assert "Silent.step returned a NoneType: leave the method out" in str(worker_of(pack(Silent)).train({})["mistake"])
    shared = SharedWorker(pack(Stays), tiny_data(), SETTINGS)
    assert [report["epoch"] for report in shared.train({0: {}, 1: {}}).values()] == [1, 1]
    reports = shared.train({0: None, 1: {}})
    assert reports[0]["epoch"] == 2
    assert "Stays.reset_config did not begin the next trial" in str(reports[1]["mistake"])
    shared.cleanup()
    shared = SharedWorker(pack(Silent), tiny_data(), SETTINGS)
    assert "Silent.step returned a NoneType: leave the method out" in str(shared.train({3: {}})[3]["mistake"])


def test_a_worker_with_lanes_trains_each_as_a_worker_would() -> None:
    class Fails(Tiny):
        def build_model(self, config: dict[str, Any]) -> keras.Model:
            if config.get("fails"):
                raise ValueError("not this one")
            return super().build_model(config)

    worker = SharedWorker(pack(Fails), tiny_data(), SETTINGS)
    first = worker.train({0: {}, 1: {"fails": True}, 2: {}})
    second = worker.train({0: None, 1: {}, 2: None})
    third = worker.train({1: None})
    worker.cleanup()
    assert "ValueError: not this one" in str(first.pop(1)["error"])
    assert [report["epoch"] for report in (*first.values(), *second.values(), *third.values())] == [1, 1, 2, 1, 2, 2]
    worker.cleanup()


def test_a_worker_that_leaves_loses_nothing_that_callbacks_have_written(tmp_path, monkeypatch) -> None:
    class Writes(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self.itself = self
            self.lines = (tmp_path / "lines").open("w")
            self.lines.write("begun ")

        def on_train_end(self, logs: Any = None) -> None:
            self.lines.write("ended")

    class Written(Tiny):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            return FitOptions(callbacks=[Writes()])

    worker = Worker(pack(Written), tiny_data(), SETTINGS)
    worker.train({})
    monkeypatch.setattr(ray.actor, "exit_actor", lambda: None)
    gc.collect()
    before = gc.get_freeze_count()
    try:
        worker.leave()
        assert gc.isenabled()
        # Other tests' objects may have something to do at the end: then Python writes the file.
        assert (tmp_path / "lines").read_text() == "begun ended" or gc.get_freeze_count() == before
    finally:
        gc.unfreeze()


def test_a_class_that_a_worker_with_lanes_cannot_load_is_told_to_each() -> None:
    sent = pack(Tiny)
    worker = SharedWorker(SentClass(sent.name, b"no class", sent.arrays, sent.folders), tiny_data(), SETTINGS)
    assert ["cannot load Tiny" in str(report["mistake"]) for report in worker.train({0: {}, 2: {}}).values()] == [
        True
    ] * 2
    worker.cleanup()


def test_large_arrays_travel_beside_the_class() -> None:
    table = np.arange(2**19, dtype=np.float32)

    class Uses(Tiny):
        small = np.arange(3)

        def build_model(self, config: dict[str, Any]) -> keras.Model:
            assert table[5] == 5
            return super().build_model(config)

    sent = pack(Uses)
    assert [array.nbytes for array in sent.arrays] == [table.nbytes]
    assert np.shares_memory(sent.arrays[0], table)
    assert len(sent.pickled) < 20_000
    unpack(sent).small[0] = 5  # small ones are the worker's own
    assert trained(worker_of(sent)) == PLAIN


def test_a_module_that_a_worker_lacks_is_told_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lost_helper.py").write_text("class Base:\n    pass\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        base = importlib.import_module("lost_helper").Base
        sent = pack(type("Uses", (base, Tiny), {}), {"lost_helper": str(tmp_path)})
    del sys.modules["lost_helper"]
    worker = worker_of(sent)
    report = worker.train({})
    assert report["done"]
    assert "cannot import the module lost_helper, which Uses needs" in report["mistake"]
    assert f"The driver has it from {tmp_path}; the worker looks in" in report["mistake"]
    assert "PYTHONPATH" in report["mistake"]
    assert worker.train({})["mistake"] == report["mistake"]
    worker.cleanup()


def test_modules_in_a_folder_with_a_colon_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a: b"
    folder.mkdir()
    (folder / "in_a_colons_folder.py").write_text(
        "from tests.support.tiny_trainables import Tiny\n\n\nclass Far(Tiny):\n    pass\n"
    )
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    sent = pack(importlib.import_module("in_a_colons_folder").Far, {"in_a_colons_folder": str(folder)})
    monkeypatch.delitem(sys.modules, "in_a_colons_folder")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(folder)])
    assert unpack(sent).__name__ == "Far"
    assert sys.path[-1] == str(folder)


def test_a_class_that_cannot_be_loaded_is_told_with_the_error() -> None:
    report = worker_of(SentClass("Uses", b"no pickle", (), {})).train({})
    assert "cannot load Uses: UnpicklingError" in report["mistake"]
