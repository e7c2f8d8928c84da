"""What Python itself would print with a traceback is one line of a command; in a run's log it stays whole."""

from __future__ import annotations

import threading
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tune_jobs.cli import options
from tune_jobs.cli.exit_status import Commands
from tune_jobs.host.output import redirect_output


class Left:
    def __del__(self) -> None:
        raise ValueError("left\nbehind")


def start_wrong_thread() -> None:
    thread = threading.Thread(target=3, name="loader")  # type: ignore[arg-type]
    thread.start()
    thread.join()


@click.group(cls=Commands)
@options.diagnostics
def group() -> None:
    """Stand for the group of all commands."""


@group.command()
@options.diagnostics
def thread() -> None:
    """Start a thread that cannot run."""
    start_wrong_thread()


@group.command()
def method() -> None:
    """Drop an object that raises."""
    Left()


@group.command()
@click.argument("log", type=Path)
def logged(log: Path) -> None:
    """Start a thread that cannot run while there is a log."""
    with redirect_output(log):
        start_wrong_thread()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_in_a_thread_is_one_line() -> None:
    hook = threading.excepthook
    result = CliRunner().invoke(group, ["thread"])
    assert result.stderr == (
        "note: The thread loader ended with TypeError: 'int' object is not callable; --debug shows where.\n"
    )
    assert threading.excepthook is hook
    calls: list[object] = []
    threading.excepthook = calls.append
    try:
        CliRunner().invoke(group, ["thread", "--debug"])
    finally:
        threading.excepthook = hook
    assert len(calls) == 1


def test_an_error_that_python_ignores_is_one_line() -> None:
    result = CliRunner().invoke(group, ["method"])
    assert result.stderr == (
        "note: Left.__del__ raised ValueError: left behind, which Python ignores; --debug shows where.\n"
    )


def test_what_comes_while_a_run_goes_on_is_whole_in_its_log(tmp_path: Path) -> None:
    calls: list[object] = []
    hook, threading.excepthook = threading.excepthook, calls.append
    try:
        result = CliRunner().invoke(group, ["logged", str(tmp_path / "ray.log")])
    finally:
        threading.excepthook = hook
    assert (result.stderr, len(calls)) == ("", 1)


def test_the_hook_stays_as_long_as_a_thread_of_the_code_s_lives() -> None:
    goes_on, hook = threading.Event(), threading.excepthook
    late = threading.Thread(target=goes_on.wait)

    @group.command()
    def outlived() -> None:
        late.start()

    try:
        CliRunner().invoke(group, ["outlived"])
        assert threading.excepthook is not hook
    finally:
        threading.excepthook = hook
        goes_on.set()
        late.join()
