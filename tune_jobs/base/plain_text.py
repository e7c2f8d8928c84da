"""Texts of errors and notes without colours, and without characters that steer a terminal or a table."""

from __future__ import annotations

import re

# ECMA-48: sequences with parameters (colours, movements), strings (titles, links) up to their end, and short ones.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]"
)
_LINE_END = re.compile("\r\n?|[\x85\u2028\u2029]")
# Control characters but tab and newline, and those that turn the direction of writing.
_STEERING = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain_text(text: str) -> str:
    """Return a text without colours, with other characters that steer spelled out. Its lines stay lines.

    Args:
        text: A message of an error, a note, or a traceback.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_END.sub("\n", _SEQUENCE.sub("", text))
    return _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
