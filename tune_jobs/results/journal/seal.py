"""The seal of a journal's line: its number and a checksum, which show that a line is missing or was changed.

A line ends with ``, "line": 12, "crc": "1a2b3c4d"}`` and a newline. The checksum is the CRC-32 of all bytes before it.
It finds accidents, and people who edit a journal; it does not keep anybody from forging one.
"""

from __future__ import annotations

import json
import re
import zlib

_SEAL = re.compile(rb', "line": ([1-9][0-9]{0,11}), "crc": "([0-9a-f]{8})"\}\n')
_CRC_BYTES = len(b', "crc": "1a2b3c4d"}\n')
_SHORTEST = _CRC_BYTES + len(b', "line": 1')
MAX_SEAL_BYTES = _SHORTEST + 11


class ChangedLineError(ValueError):
    """A line is not as it was written."""


def seal(line: bytes, number: int) -> bytes:
    """Return a line with its seal.

    Args:
        line: The line of an event, as ``encode`` makes it.
        number: The number of the line in its journal, from 1.
    """
    body = line.removesuffix(b"}\n") + b', "line": %d' % number
    return body + b', "crc": "%08x"}\n' % zlib.crc32(body)


def seal_bytes(line: bytes) -> int:
    """Return how many bytes of a line are its seal; 0 if it has none."""
    match = _SEAL.search(line, max(0, len(line) - MAX_SEAL_BYTES))
    return 0 if match is None else len(line) - match.start() - len(b"}\n")


def sealed_number(line: bytes) -> int | None:
    """Return the number in the seal of a line; None if the line has none, because an older version wrote it.

    Args:
        line: The line of an event, with its newline.

    Raises:
        ChangedLineError: The line is not as it was written.
    """
    match = _SEAL.search(line, max(0, len(line) - MAX_SEAL_BYTES))
    if match is None or match.end() != len(line):
        end = line[-MAX_SEAL_BYTES - 8 :]
        if (b'"line"' in end or b'"crc"' in end) and _has_broken_seal(line):
            raise ChangedLineError
        return None
    if zlib.crc32(line[: len(line) - _CRC_BYTES]) != int(match[2], 16):
        raise ChangedLineError
    return int(match[1])


def _has_broken_seal(line: bytes) -> bool:
    """Return whether a line without a whole seal has a part of one: one byte cannot have changed both names."""
    fields = json.loads(line)
    return "line" in fields or "crc" in fields
