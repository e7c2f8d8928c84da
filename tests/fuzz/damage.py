"""Damage to values, texts and files: a part of JSON becomes another type, bytes change, a file becomes a pipe."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fuzz.box import Box
from tests.fuzz.draw import WORDS, Draw

_RAW = (
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "1e-999",
        "9" * 5000,
        "-" + "9" * 400,
        "0x1",
        "01",
        "1.",
        ".5",
    ),
    *(
        "nul",
        "tru",
        "'a'",
        '"\\ud800"',
        '"\\u0000"',
        '"' + "s" * 10**5 + '"',
        "[" * 10**5,
        '{"a":' * 10**4,
        "[]",
        "{}",
        "null",
    ),
    *(
        "true",
        '""',
        "0",
        "-1",
        "1e301",
        "1e-320",
        '"x"',
        "[1, 2]",
        '{"a": 1}',
        '{"a": 1, "a": 2}',
        "// x",
        ",",
        "",
        "\0",
    ),
)


def damaged_json(draw: Draw, value: Any) -> Any:
    """Return a value of JSON of which one to three parts are other ones."""
    value = json.loads(json.dumps(value))
    for _ in range(draw.one((1, 1, 1, 2, 3))):
        value = _damaged_part(draw, value)
    return value


def _damaged_part(draw: Draw, value: Any) -> Any:
    if not value or not isinstance(value, dict | list) or draw.chance(0.03):
        return draw.json()
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw.one(keys)
    if isinstance(value[key], dict | list) and value[key] and draw.chance(0.6):
        value[key] = _damaged_part(draw, value[key])
        return value
    match draw.one(("replace", "replace", "replace", "delete", "add", "copy")):
        case "replace":
            value[key] = draw.json()
        case "delete":
            del value[key]
        case "add" if isinstance(value, dict):
            value[draw.text()] = draw.json()
        case "add":
            value.insert(key, draw.json())
        case "copy":
            other = draw.one(keys)
            value[key] = value[other]
    return value


def damaged_text(draw: Draw, text: str) -> str:
    """Return a JSON text in which one value is replaced by something that is no JSON, or hardly so."""
    places = [index for index, letter in enumerate(text) if letter in ":,[{"]
    if not places:
        return draw.one(_RAW)
    start = draw.one(places) + 1
    end = min((found for mark in ",]}\n" if (found := text.find(mark, start)) >= 0), default=len(text))
    return text[:start] + draw.one(_RAW) + text[end:]


def damaged_bytes(draw: Draw, content: bytes) -> bytes:
    """Return a content of which some bytes were lost, changed or added."""
    start = draw.random.randint(0, len(content))
    end = min(len(content), start + draw.count(60))
    word = draw.one(WORDS).encode("utf-8", "surrogatepass")
    ways: dict[str, Callable[[], bytes]] = {
        "cut": lambda: content[:start],
        "lost": lambda: content[:start] + content[end:],
        "changed": lambda: content[:start] + draw.random.randbytes(end - start) + content[end:],
        "added": lambda: content[:start] + word + content[start:],
        "replaced": lambda: content[:start] + word + content[end:],
        "repeated": lambda: content[:end] + content[start:],
        "zeros": lambda: content[:start] + bytes(end - start) + content[end:],
        "empty": lambda: b"",
        "random": lambda: draw.random.randbytes(draw.count(2000)),
        "utf16": lambda: content.decode("utf-8", "replace").encode("utf-16"),
        "mark": lambda: b"\xef\xbb\xbf" + content,
        "windows": lambda: content.replace(b"\n", b"\r\n"),
        "no newlines": lambda: content.replace(b"\n", b" "),
        "twice": lambda: content + content,
        "long line": lambda: content[:start] + b"x" * 3 * 10**6 + content[start:],
    }
    return ways[draw.one(list(ways))]()


def replace_by_special(draw: Draw, path: Path, box: Box) -> str:
    """Put something else in the place of a file or a folder, and return what that is."""
    precious = box.stranger / "precious.txt"
    ways: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "an empty file": path.touch,
        "a folder": path.mkdir,
        "a folder with a file": lambda: (path.mkdir(), (path / "x").write_text("x")),
        "a pipe": lambda: os.mkfifo(path),
        "a socket": lambda: _bind(path),
        "a link to a stranger's file": lambda: path.symlink_to(precious),
        "a link to a stranger's folder": lambda: path.symlink_to(box.stranger / "folder"),
        "a link to itself": lambda: path.symlink_to(path.name),
        "a link to nothing": lambda: path.symlink_to(box.stranger / "new.txt"),
        "a link to /dev/null": lambda: path.symlink_to("/dev/null"),
        "a link to /dev/zero": lambda: path.symlink_to("/dev/zero"),
        "a second name of a stranger's file": lambda: path.hardlink_to(precious),
        "a file that is mostly a hole": lambda: _hole(path),
    }
    way = draw.one(list(ways))
    try:
        if not path.is_symlink() and path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        ways[way]()
    except OSError:  # something else stands in place of its folder already
        return "as it was"
    return way


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.open(path.parent, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/{path.name}")  # a socket's path may have 107 characters
        os.close(folder)


def _hole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)
