"""A mistake that the data shows is told while Ray still starts, and once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest

from tests.support.fakes import experiment
from tests.support.tiny_trainables import Tiny
from trainables import Data
from tune_jobs import RequestError, engine
from tune_jobs.cli.exit_status import Commands
from tune_jobs.cli.run_and_report import TellingView
from tune_jobs.engine import driver


class Lost(Tiny):
    def load_data(self) -> Data:
        raise FileNotFoundError("no such file: wine.csv")


class View:
    """A view that writes what it is asked for into a list."""

    def __init__(self, told: list[str]) -> None:
        self.told = told

    def begin(self, plan: Any) -> None:
        self.told.append("begin")

    def event(self, event: Any) -> None:
        self.told.append(event.EVENT)

    def end(self) -> None:
        self.told.append("end")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []

    @contextmanager
    def ray_session(*_: Any) -> Iterator[Callable[[], Path]]:
        try:
            yield lambda: pytest.fail("nobody waits for Ray")
        finally:
            told.append("Ray has started and ended")

    monkeypatch.setattr(driver, "ray_session", ray_session)
    return told


def test_a_mistake_in_the_data_is_told_before_ray_has_ended(told: list[str], tmp_path: Path) -> None:
    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            told.extend(line for line in text.splitlines() if line)
            return len(text)

    with pytest.raises(RequestError) as caught:
        engine.run(experiment(trainable=Lost), storage=tmp_path, reporter=TellingView(View(told), Stream()))
    words = "Error: Lost.load_data raised FileNotFoundError: no such file: wine.csv"
    assert told[:4] == ["begin", "end", words, "Ray has started and ended"]
    assert caught.value.is_told
    assert list(tmp_path.iterdir()) == []


def test_a_reporter_that_tells_no_mistakes_gets_none(told: list[str], tmp_path: Path) -> None:
    with pytest.raises(RequestError) as caught:
        engine.run(experiment(trainable=Lost), storage=tmp_path, reporter=View(told))
    assert told[:2] == ["begin", "Ray has started and ended"]
    assert not caught.value.is_told


@pytest.mark.parametrize(("is_told", "expected"), [(True, ""), (False, "Error: wrong\n")])
def test_a_command_does_not_repeat_it(is_told: bool, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        error = RequestError("wrong")
        error.is_told = is_told
        raise error

    with pytest.raises(SystemExit) as ended:
        Commands(commands={"fail": click.Command("fail", callback=fail)}).main(["fail"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == expected
