"""Draws of odd values: numbers, texts, and values of any type. All of them come from one generator."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

NUMBERS: tuple[Any, ...] = (
    *(0, 1, 2, 3, 5, 7, 100, 1000, -1, -7),
    *(10**5, 10**6, 10**9, 10**12, 10**18, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 10**400, -(10**400)),
    *(0.5, 0.1, 1.0, 1.000001, -0.0, -0.5, 1e-9, 1e-300, 1e-320, 5e-324, 1e300, 1e301, 1.7e308, -1e301),
    *(float("nan"), float("inf"), float("-inf")),
    *(True, False),
)
WORDS = (
    *("", " ", "\t", "\n", "a", "x", "rate", "units", "layers", "loss", "val_accuracy", "max", "min", "auto", "all"),
    *("none", "None", "null", "True", "nan", "inf", "-inf", "0", "1", "-1", "00", "1e400", "1e-320", "0x10", "1_000"),
    *("١٢", "½", "²", "१", "5 ", " 5", "+5", "5.", "1,000", "1e3", "9" * 400, "9" * 5000, "0." + "0" * 400 + "1"),
    *("n" * 101, "n" * 255, "n" * 256, "n" * 300, "n" * 5000, "é" * 200, "a/" * 2100, "/".join(["n" * 250] * 20)),
    *(
        ".",
        "..",
        "/",
        "//",
        "~",
        "-",
        "--",
        "---",
        "-x",
        "--x=1",
        "*",
        "?",
        "[a]",
        "[",
        "{x}",
        "%s",
        "%",
        "$(x)",
        "`x`",
    ),
    *("../x", "../../../x", "./x", "x/", "/x", "a b", "a'b", 'a"b', "a\\b", "a:b", "a;b", "a,b", "a|b", "a=b", "a#b"),
    *(
        "=1+1",
        "+1",
        "@x",
        "\x1b[31mred\x1b[0m",
        "\x07",
        "\x7f",
        "\x85",
        "\u2028",
        "\u202ereversed",
        "\ufeffx",
        "\u200b",
    ),
    *("ünïcode", "日本語", "🙂", "🙂" * 80, "e\u0301", "\udcff", "a\udc80b", "\ud800", "İ", "ß", "ﬁ"),
    *(
        "__class__",
        "__init__",
        "self",
        "cls",
        "class",
        "lambda",
        "_",
        "__",
        "trial",
        "rank",
        "status",
        "epoch",
        "config",
    ),
    *(
        "file:",
        ":",
        "::",
        "x:",
        ":x",
        "x:y:z",
        "http://",
        "http://[",
        "http://x:99999",
        "s3://",
        "s3:///x",
        "gs://",
        "x://y",
    ),
    *("file://", "file:///", "file://x", "s3://[", "s3://a b/c", "S3://B", "://", "s3:/b/f", "//host/x", "\\\\host\\x"),
    *(
        "CON",
        "nul",
        "a.py",
        ".py",
        "x.py:",
        "x.py:A",
        "os",
        "sys:path",
        "os.path:join",
        "tune_jobs",
        "json:dumps",
        "a.b.c",
    ),
)


class Odd:
    """An object that belongs into no declaration."""


class Draw:
    """The draws of one input.

    Args:
        seed: The seed of all inputs.
        number: The number of the input.
    """

    def __init__(self, seed: int, number: int) -> None:
        self.random = random.Random(f"{seed}/{number}")  # noqa: S311 - nothing is secret

    def chance(self, probability: float) -> bool:
        """Draw whether something happens."""
        return self.random.random() < probability

    def count(self, most: int) -> int:
        """Draw a whole number from 0 to ``most``; small ones are more likely."""
        return int(self.random.random() ** 2 * (most + 1))

    def one(self, choices: Sequence[T]) -> T:
        """Draw one of several things."""
        return self.random.choice(choices)

    def some(self, choices: Sequence[T], most: int) -> list[T]:
        """Draw up to ``most`` different things."""
        return self.random.sample(choices, min(len(choices), self.random.randint(0, most)))

    def number(self) -> Any:
        """Draw a number."""
        return self.one(NUMBERS) if self.chance(0.8) else self.random.randint(-(10**6), 10**6)

    def text(self) -> str:
        """Draw a text."""
        if self.chance(0.85):
            return self.one(WORDS)
        return "".join(chr(self.random.randrange(1, 0x3000)) for _ in range(self.count(40)))

    def argument(self) -> str:
        """Draw a text that a shell can give a command: without the character that ends texts in C."""
        text = self.text() if self.chance(0.7) else str_of(self.number())
        return text.replace("\0", "").encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")

    def json(self, depth: int = 2) -> Any:
        """Draw a value that JSON can hold, or nearly so."""
        kinds: list[Callable[[], Any]] = [
            self.number,
            self.text,
            lambda: None,
            lambda: self.deep(),
            lambda: [],
            lambda: {},
        ]
        if depth:
            kinds += [
                lambda: [self.json(depth - 1) for _ in range(self.count(4))],
                lambda: {self.text(): self.json(depth - 1) for _ in range(self.count(4))},
            ]
        return self.one(kinds)()

    def deep(self) -> Any:
        """Draw a value that is nested deeply."""
        value: Any = 1
        as_list = self.chance(0.5)
        for _ in range(self.one((5, 40, 200, 900))):
            value = [value] if as_list else {"a": value}
        return value

    def value(self) -> Any:
        """Draw a value of any type."""
        if self.chance(0.75):
            return self.json()
        return self.one(
            (
                Odd(),
                Odd,
                object,
                len,
                self.value,
                b"bytes",
                {1, 2},
                frozenset(),
                (),
                (1, "a"),
                1j,
                range(10**9),
                ...,
                Draw,
            )
        )


def str_of(number: Any) -> str:
    """Return a number as text, also one with more digits than Python prints."""
    return hex(number) if isinstance(number, int) and abs(number) > 10**300 else str(number)
