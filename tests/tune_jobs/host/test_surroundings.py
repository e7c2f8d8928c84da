"""What is global in a process is afterwards what it was. Whole runs: tests/integration/test_surroundings.py."""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.surroundings import Untidy, surroundings
from tune_jobs.host.surroundings import preserved


def test_an_untidy_block_changes_nothing() -> None:
    gc.unfreeze()
    keras.utils.set_random_seed(5)
    before, threshold = surroundings(), gc.get_threshold()
    with preserved():
        Untidy.standalone().load_data()
        gc.freeze()
    assert surroundings() == before
    assert gc.get_threshold() == threshold


def test_an_error_passes_through() -> None:
    gc.unfreeze()
    before = surroundings()
    with pytest.raises(ZeroDivisionError):
        _fail_untidily()
    assert surroundings() == before


def _fail_untidily() -> None:
    with preserved():
        Untidy.standalone().load_data()
        raise ZeroDivisionError


@given(st.integers(0, 20))
def test_the_generator_of_keras_goes_on_where_it_was(draws: int) -> None:
    keras.utils.set_random_seed(3)
    expected = [np.array(keras.random.normal((1,))).item() for _ in range(2)]
    keras.utils.set_random_seed(3)
    first = np.array(keras.random.normal((1,))).item()
    with preserved():
        for _ in range(draws):
            keras.random.normal((1,))
    assert [first, np.array(keras.random.normal((1,))).item()] == expected


def test_loggers_that_come_meanwhile_are_left_to_their_makers() -> None:
    with preserved():
        logging.getLogger("tests.new").setLevel(logging.ERROR)
    assert logging.getLogger("tests.new").level == logging.ERROR


def test_a_folder_that_is_gone_hinders_nothing(tmp_path: Path) -> None:
    here = Path.cwd()
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        with preserved():
            os.chdir("/")
    finally:
        os.chdir(here)


def test_in_another_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGUSR2)

    def run() -> None:
        with preserved():
            os.environ["FROM_A_THREAD"] = "1"

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGUSR2) is before
    assert "FROM_A_THREAD" not in os.environ
