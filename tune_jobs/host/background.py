"""Something that is done in a thread of its own, while this one goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def begun(work: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Begins the work, whose thread lives until the block is left.

    Until then, because the kernel takes the thread that started a process for its parent: Ray's processes, which ask
    to be killed when their parent dies (PR_SET_PDEATHSIG), would die with it.

    Yields:
        Waits until the work is done, and raises what it raised; call it as often as you like.
    """
    is_done, is_over = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
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
