"""Signals interrupt, are held back, and are left to the former handlers afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tune_jobs.host.background import in_background
from tune_jobs.host.signals import held_back, on_interrupt, terminable

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@pytest.fixture(autouse=True)
def handlers_are_put_back() -> Iterator[None]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@BOTH
def test_what_comes_while_it_is_held_back_is_raised_at_the_end(number: int) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        done += [send(number), "went on"]
    assert done == [None, "went on"]


def test_nothing_came() -> None:
    with held_back():
        pass


def test_what_failed_meanwhile_is_told_rather_than_the_signal() -> None:
    with pytest.raises(ValueError, match="no Ray"), held_back():
        raise ValueError("no Ray", send(signal.SIGINT))


@BOTH
def test_ray_starts_in_another_thread_where_it_installs_no_handler(number: int) -> None:
    def start_ray() -> None:
        if threading.current_thread() is threading.main_thread():  # as Ray does: see on_ray/internals/test_startup.py
            signal.signal(number, lambda *_: sys.exit(1))
        send(number)

    done = []
    with pytest.raises(KeyboardInterrupt), held_back(), in_background(start_ray) as wait_until_started:
        done += [wait_until_started(), "went on"]
    assert done == [None, "went on"]


def test_handlers_of_other_signals_are_installed() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with held_back():
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    signal.signal(signal.SIGUSR1, before)


@BOTH
def test_a_run_that_begins_is_left_at_once(number: int) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), terminable():
        done += [send(number), "went on"]
    assert done == []


@BOTH
def test_the_first_interrupts(number: int) -> None:
    interrupts = []
    with on_interrupt(lambda: interrupts.append(number)):
        send(number)
    assert interrupts == [number]


def test_the_second_ends_the_process() -> None:
    code = (
        "import os, signal; from tune_jobs.host.signals import held_back\nwith held_back():\n"
        "    os.kill(os.getpid(), signal.SIGTERM); os.kill(os.getpid(), signal.SIGINT); print('went on')"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout) == (130, "")
