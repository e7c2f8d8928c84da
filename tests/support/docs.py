"""The pages of the documentation, taken apart: their blocks of code and the commands that they name."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
_AT_THE_TOP = (TOP / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))
PAGES = [*(page for page in _AT_THE_TOP if page.exists()), *sorted((TOP / "docs").glob("*.md"))]
"""Every page that people read."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[\w{}-]*)\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_COMMAND = re.compile(r"^(?:\w+=\S+ )*(?P<command>(?:tune-jobs|make|python -m) .*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: What follows the fence: ``python``; empty for a block of a shell or of output.
        line: The number of the fence's line in its page.
        body: The lines between the fences.
    """

    language: str
    line: int
    body: str


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page's text, in order."""
    return [
        Block(match["language"], page.count("\n", 0, match.start()) + 1, match["body"])
        for match in _FENCE.finditer(page)
    ]


def commands(page: str) -> list[str]:
    """Return the commands that a page's text names: in blocks, in indented lines, and between backticks."""
    shown = [line for block in blocks(page) if block.language in ("", "sh") for line in _typed(block.body)]
    prose = _FENCE.sub("", page)
    shown += [line.strip() for line in prose.splitlines() if line.startswith("    ")]
    shown += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    return [match["command"] for line in shown if (match := _COMMAND.match(line))]


def _typed(body: str) -> list[str]:
    """Return the lines of a block that people type: after a prompt, after "next:", or all if nothing marks them."""
    lines = body.splitlines()
    if any(line.startswith("$ ") for line in lines):
        return [line[2:] for line in lines if line.startswith("$ ")]
    suggested = [line.removeprefix("next:").strip() for line in lines if line.startswith(("next:", "      "))]
    return suggested or [line.strip() for line in lines]


def words_of(command: str) -> list[list[str]]:
    """Return the words of a command, or of each command that a synopsis stands for.

    A synopsis has optional parts in brackets, alternatives between bars, and dots for more of the same:
    ``tune-jobs jobs | status JOB | logs [-f] JOB``. Its placeholders are words in capitals.
    """
    without_comment = re.sub(r"\s#.*$", "", command)
    first, *others = _OPTIONAL.sub(_all_of, without_comment).split(" | ")
    program = shlex.split(first)[0]
    return [_without_dots(shlex.split(line)) for line in (first, *(f"{program} {other}" for other in others))]


def _all_of(optional: re.Match[str]) -> str:
    """Return an optional part with all its alternatives, or nothing if it is prose."""
    part = optional[1]
    return part.replace(" | ", " ") if re.match("-|[A-Z]+$", part) else ""


def _without_dots(words: list[str]) -> list[str]:
    """Return the words without dots that mean more of the same; those that are an option's value stay."""
    return [word for before, word in zip(["", *words], words, strict=False) if word != "…" or before.startswith("-")]
