"""A user's code as nobody here would write it: names that clash, exits, large arrays, and what cannot travel."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import tune_jobs
from search_spaces import Choice, SearchSpace
from tests.support.tiny_trainables import Tiny
from trainables import Data
from tune_jobs import Experiment, NoScheduler, Objective, RequestError

pytestmark = pytest.mark.integration


def experiment(trainable: type[Tiny], *whats: str) -> Experiment:
    return Experiment(
        trainable,
        SearchSpace(what=Choice(*whats)),
        Objective("val_accuracy", "max"),
        searcher=tune_jobs.Grid(),
        scheduler=NoScheduler(),
        max_epochs=2,
    )


def test_clashes_exits_and_large_arrays_in_one_run(tmp_path: Path) -> None:
    table = np.arange(2**20, dtype=np.float32)

    class Odd(Tiny):
        train = (1, 2)

        def load_data(self) -> Data:
            self.stop = self.iteration = self.logdir = 5  # type: ignore[assignment]
            return super().load_data()

        def build_model(self, config: dict[str, Any]) -> keras.Model:
            self.config = self.iteration = self.step = 5  # type: ignore[assignment]
            assert table[7] == 7
            if config["what"] == "exits":
                sys.exit("this one not")
            if config["what"] == "interrupts":
                raise KeyboardInterrupt("this one neither")
            return super().build_model(config)

        def stop(self, epoch: int, logs: Any) -> bool:
            raise AssertionError("Ray called it")

    run = tune_jobs.run(experiment(Odd, "trains", "exits", "interrupts"), storage=tmp_path, name="odd")
    trials = {trial.config["what"]: trial for trial in run.history().trials.values()}
    assert {what: trial.error for what, trial in trials.items()} == {
        "trains": None,
        "exits": "SystemExit: this one not",
        "interrupts": "KeyboardInterrupt: this one neither",
    }
    assert len(trials["trains"].epochs) == 2
    assert not [event for event in run.events() if isinstance(event, tune_jobs.results.Noted)]  # nothing was retried


@pytest.mark.usefixtures("warm")
def test_a_class_that_workers_cannot_import_ends_the_run_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module lies in a folder that was on the driver's path for the moment of the import only."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "lost_mixin.py").write_text("class Mixin:\n    pass\n")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(folder))
        import lost_mixin  # type: ignore[import-not-found]

    uses = type("Uses", (lost_mixin.Mixin, Tiny), {})
    with pytest.raises(RequestError) as raised:
        tune_jobs.run(experiment(uses, "trains"), storage=tmp_path / "runs", name="lost")
    (problem,) = raised.value.problems
    assert "cannot import the module lost_mixin, which Uses needs" in problem
    assert not (tmp_path / "runs" / "lost").exists()
