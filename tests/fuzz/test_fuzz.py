"""A short part of the fuzzer, which is the same each time; ``make fuzz`` is the long one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fuzz.draw import Draw
from tests.fuzz.kinds import KINDS, kind_of
from tests.fuzz.verdict import Outcome


def test_odd_inputs_are_answered_in_words() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--seed", "1", "--inputs", "80"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stdout
    assert "traceback: 0, not foreseen: 0, silent: 0, outside: 0" in done.stdout


def test_an_input_depends_on_the_seed_and_its_number_only() -> None:
    assert [Draw(3, 5).json() for _ in range(3)] == [Draw(3, 5).json() for _ in range(3)]
    assert {kind_of(1, number) for number in range(2000)} == set(KINDS)


@pytest.mark.parametrize(
    ("outcome", "faults"),
    [
        ({"status": 2}, []),
        ({"status": 3}, ["not foreseen"]),
        ({"output": "Error: KeyError: 1. This was not foreseen; …"}, ["not foreseen"]),
        ({"output": "Traceback (most recent call last)"}, ["traceback"]),
        ({"raised": "KeyError: 1"}, ["traceback"]),
        ({"took_s": 5.1, "cpu_s": 5.1}, ["silent"]),
        ({"took_s": 9.0, "cpu_s": None}, ["silent"]),
        ({"took_s": 9.0, "cpu_s": 1.0}, []),
        ({"outside": ("open '/etc/x'",)}, ["outside"]),
    ],
)
def test_each_fault_is_seen(outcome: dict[str, object], faults: list[str]) -> None:
    plain = {
        "number": 1,
        "kind": "journal",
        "words": "",
        "took_s": 0.1,
        "cpu_s": 0.1,
        "status": 1,
        "raised": None,
        "outside": (),
    }
    assert Outcome(**{**plain, "output": "", **outcome}).faults == faults  # type: ignore[arg-type]
