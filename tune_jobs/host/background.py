"""Work in a thread of its own, while this thread goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_background(work: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Do work in another thread, which lives until the block is left.

    The kernel takes the thread that started a process for its parent. Ray's processes ask to be killed when their
    parent dies (PR_SET_PDEATHSIG), so they would die with a thread that ends early.

    Args:
        work: The work.

    Yields:
        A function that waits until the work is done, and raises what the work raised. It can be called again.
    """
    is_done, is_over = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            raised.append(error)
        is_done.set()
        is_over.wait()

    def wait() -> None:
        is_done.wait()
        if raised:
            raise raised[0]

    thread = threading.Thread(target=do, name="tune-jobs-background", daemon=True)
    thread.start()
    try:
        yield wait
    finally:
        is_over.set()
        thread.join()
