"""Runs on one machine divide it: each has a trial at least, and together they use each CPU once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tune_jobs.host.sharing import VARIABLE, Claim, divided, shared_machine


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path / f"tune-jobs-runs-{os.getuid()}"


def claims(*wanted: tuple[float, int]) -> list[Claim]:
    return [Claim(float(index), f"{index}-x", cpus, trials) for index, (cpus, trials) in enumerate(wanted)]


@pytest.mark.parametrize(
    ("wanted", "cpus", "shares"),
    [
        ([(1, 2)], 2, [2]),
        ([(1, 2), (1, 2)], 2, [1, 1]),
        ([(1, 8), (1, 8), (1, 8)], 8, [3, 3, 2]),
        ([(1, 1), (1, 8)], 8, [1, 7]),
        ([(4, 2), (1, 8)], 8, [1, 4]),
        ([(2, 1), (2, 1)], 2, [1, 1]),  # each has one at least
        ([(0.5, 4), (1, 2)], 2, [2, 1]),
    ],
)
def test_what_each_run_may_have(wanted: list[tuple[float, int]], cpus: float, shares: list[int]) -> None:
    runs = claims(*wanted)
    assert [divided(runs, cpus)[run.id] for run in runs] == shares


@given(
    st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.0, 4.0]), st.integers(1, 16)), min_size=1, max_size=6),
    st.integers(1, 16),
    st.randoms(),
)
def test_every_run_works_out_the_same_and_no_cpu_is_used_twice(
    wanted: list[tuple[float, int]], cpus: int, order: object
) -> None:
    runs = claims(*wanted)
    shares = divided(runs, cpus)
    shuffled = list(runs)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert divided(shuffled, cpus) == shares
    assert all(1 <= shares[run.id] <= run.trials for run in runs)
    used = sum(shares[run.id] * run.cpus for run in runs)
    assert used <= max(cpus, sum(run.cpus for run in runs))


def test_a_run_gives_way_to_another_and_grows_when_it_has_ended(folder: Path) -> None:
    with shared_machine(2, 1, 2) as first:
        assert first is not None
        assert first() == 2
        with shared_machine(2, 1, 2) as second:
            assert second is not None
            assert (first(), second()) == (1, 1)
        assert first() == 2
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_run_that_was_killed_holds_nothing(folder: Path) -> None:
    program = (
        "import time\nfrom tune_jobs.host.sharing import shared_machine\n"
        "with shared_machine(2, 1, 2):\n    print('begun', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"begun\n"
        with shared_machine(2, 1, 2) as share:
            assert share is not None
            assert share() == 1
            other.send_signal(signal.SIGKILL)
            other.wait()
            assert share() == 2
            assert len(list(folder.iterdir())) == 1


def test_a_folder_of_somebody_else_is_left_alone(folder: Path) -> None:
    folder.symlink_to(folder.parent)
    with shared_machine(2, 1, 2) as share:
        assert share is None
    assert list(folder.parent.iterdir()) == [folder]


def test_a_file_that_is_no_claim_counts_for_nothing(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    (folder / "notes").write_text("[]")
    with shared_machine(2, 1, 2) as share:
        assert share is not None
        assert share() == 2
    assert (folder / "notes").exists()
