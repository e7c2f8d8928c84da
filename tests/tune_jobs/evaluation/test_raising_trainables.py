"""Whatever the user's code raises under a command is told in one sentence, and nothing is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.trained_runs import Blobs, trained_run
from trainables import FitOptions
from tune_jobs.errors import RequestError, RunFailed
from tune_jobs.evaluation.evaluate import evaluate
from tune_jobs.evaluation.export import export
from tune_jobs.evaluation.refit import refit
from tune_jobs.results.run import Run


def leave() -> None:
    raise SystemExit("left")


def generator_exit() -> None:
    raise GeneratorExit("own")


def interrupt() -> None:
    raise KeyboardInterrupt("own")


def end_at_once() -> None:
    os._exit(3)


RAISED = {
    leave: "SystemExit: left",
    generator_exit: "GeneratorExit: own",
    interrupt: "KeyboardInterrupt: own",
    end_at_once: r"SystemExit: os\._exit\(3\) was called",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained_run(tmp_path_factory.mktemp("runs"), rates=(0.2,))


@pytest.mark.parametrize("work", RAISED)
def test_build_model_raises(work: Callable[[], None], run: Run, tmp_path: Path) -> None:
    class Leaves(Blobs):
        def build_model(self, config: dict[str, Any]) -> Any:
            work()

    told = f"Leaves.build_model raised {RAISED[work]}"
    with pytest.raises(RequestError, match=told):
        evaluate(run, Leaves, force=True)
    with pytest.raises(RequestError, match=told):
        export(run, Leaves, tmp_path / "out.keras", force=True)
    with pytest.raises(RequestError, match=told):
        run.load_best_model(Leaves)
    with pytest.raises(RunFailed, match=RAISED[work]):
        refit(run, Leaves, tmp_path / "out.keras", force=True)
    assert not (tmp_path / "out.keras").exists()


def test_fit_options_raise(run: Run) -> None:
    class Leaves(Blobs):
        def fit_options(self, config: dict[str, Any]) -> FitOptions:
            raise SystemExit("left")

    with pytest.raises(RequestError, match=r"Leaves\.fit_options raised SystemExit: left"):
        evaluate(run, Leaves, force=True)
