"""Lanes take turns, and have equal work done together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from trainables.lanes.lane import Lane, Request, current_lane
from trainables.lanes.meeting import Meeting


def request(
    content: int, work: str | None = "double", position: int = 0, fails: tuple[str, ...] = ()
) -> Callable[[], Any]:
    """A request whose result says how many were done together."""

    def together(contents: Sequence[int]) -> list[tuple[int, int]]:
        if "together" in fails:
            raise RuntimeError("no memory for so many")
        return [(2 * each, len(contents)) for each in contents]

    def alone() -> tuple[int, int]:
        if "alone" in fails:
            raise ValueError("this one is broken")
        return 2 * content, 1

    def ask() -> Any:
        lane = current_lane()
        assert lane is not None
        return lane.meet(Request(work, position, content, alone, together))

    return ask


def results(works: Sequence[Callable[[], Any]], meeting: Meeting | None = None) -> list[Any]:
    lanes = [Lane() for _ in works]
    (meeting or Meeting()).work(dict(zip(lanes, works, strict=True)))
    for lane in lanes:
        lane.close()
    return [lane.result() for lane in lanes]


def test_equal_work_is_done_together_and_other_work_alone() -> None:
    works = [request(1), request(2), request(3, work=None), request(4, work="other"), request(5, position=1)]
    assert results(works) == [(2, 2), (4, 2), (6, 1), (8, 1), (10, 1)]


def test_a_lane_that_has_ended_leaves_the_others_together() -> None:
    def three_times(content: int) -> Callable[[], Any]:
        return lambda: [request(content)() for _ in range(3)]

    assert results([three_times(1), request(5), three_times(2)]) == [
        [(2, 3), (2, 2), (2, 2)],
        (10, 3),
        [(4, 3), *[(4, 2)] * 2],
    ]


def test_work_that_fails_together_is_done_alone_from_then_on() -> None:
    meeting = Meeting()
    works = [request(1, fails=("together",)), request(2, fails=("together",))]
    assert results(works, meeting) == [(2, 1), (4, 1)]
    assert [str(error) for error in meeting.failures.values()] == ["no memory for so many"]
    assert results([request(1), request(2)], meeting) == [(2, 1), (4, 1)]


def test_what_a_lane_raises_is_raised_for_it_and_the_others_go_on() -> None:
    lanes, meeting = [Lane(), Lane()], Meeting()
    works = [request(1, fails=("together", "alone")), request(2, fails=("together",))]
    meeting.work(dict(zip(lanes, works, strict=True)))
    with pytest.raises(ValueError, match="this one is broken"):
        lanes[0].result()
    assert lanes[1].result() == (4, 1)
    for lane in lanes:
        lane.close()


def test_a_lane_has_its_turn_alone_and_draws_its_own_numbers() -> None:
    running: list[int] = []

    def draw() -> list[float]:
        np.random.seed(3)  # noqa: NPY002 - as Keras does
        drawn = []
        for _ in range(3):
            running.append(threading.get_ident())
            drawn.append(float(np.random.random()))  # noqa: NPY002
            assert running.pop() == threading.get_ident()
            request(0)()
        return drawn

    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, third = results([draw, draw, draw])
    assert first == second == third
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_what_a_lane_makes_of_the_end_of_the_process_is_its_own() -> None:
    end, seen = os._exit, []

    def replaced() -> None:
        def mine(_: int) -> Any:
            raise SystemExit

        os._exit = mine
        request(0)()
        seen.append(os._exit is mine)

    results([replaced, request(0), replaced])
    assert seen == [True, True]
    assert os._exit is end


def test_nobody_else_is_in_a_lane() -> None:
    assert current_lane() is None
