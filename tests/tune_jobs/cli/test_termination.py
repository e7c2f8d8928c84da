"""A SIGTERM ends any command as Ctrl-C does, in words."""

from __future__ import annotations

import os
import signal
import time

import click
import pytest

from tune_jobs.cli.exit_status import Commands


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_checks_or_imports_something_is_interrupted(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def check() -> None:
        os.kill(os.getpid(), number)
        time.sleep(10)
        pytest.fail("it went on")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    after = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            Commands(commands={"check": click.Command("check", callback=check)}).main(["check"])
    finally:
        signal.signal(signal.SIGINT, before)
    assert (ended.value.code, capsys.readouterr().err) == (130, "Interrupted.\n")
    assert signal.getsignal(signal.SIGTERM) is after
