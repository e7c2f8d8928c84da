"""Work in a thread of its own is waited for, and what it raised is raised."""

from __future__ import annotations

import threading

import pytest

from tune_jobs.host.background import in_background


def test_both_go_on_side_by_side() -> None:
    may_end = threading.Event()
    with in_background(may_end.wait) as wait:
        may_end.set()  # the work would wait for ever if the block came after it
        wait()
        wait()


def test_what_it_raised_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise ValueError("no room")

    with in_background(fail) as wait:
        for _ in range(2):
            with pytest.raises(ValueError, match="no room"):
                wait()


def test_its_thread_lives_until_the_block_is_left() -> None:
    threads = []
    with in_background(lambda: threads.append(threading.current_thread())) as wait:
        wait()
        assert threads[0].is_alive()
    assert not threads[0].is_alive()


def test_what_the_block_raises_is_raised_when_the_work_is_done() -> None:
    done = []
    with pytest.raises(KeyError), in_background(lambda: done.append(True)):
        raise KeyError
    assert done == [True]
