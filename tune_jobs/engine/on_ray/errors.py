"""Ray's long messages in one line."""

from __future__ import annotations

import re

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OUT_OF_MEMORY = re.compile("running low on memory|NODE_OUT_OF_MEMORY")
_NAMED_ERROR = re.compile(r"[\w.]+(Error|Exception|Interrupt): ")


def in_one_line(message: str) -> str:
    """The line of Ray's message that tells what happened: the last that names an error, or else the first."""
    lines = [" ".join(_COLOURS.sub("", line).split()) for line in message.splitlines()]
    errors = [line for line in lines if _NAMED_ERROR.match(line) or _OUT_OF_MEMORY.search(line)]
    return errors[-1] if errors else next(filter(None, lines), "The worker died.")
