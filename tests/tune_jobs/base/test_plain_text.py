"""Texts without colours: what steers a terminal goes or is spelled out, what people read stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tune_jobs.base.plain_text import plain_text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[36mray::step()\x1b[0m failed", "ray::step() failed"),
        ("\x1b[1;38;2;255;0;0mred\x1b[m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b[2Jcleared\x1b[?25l", "cleared"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://a.b\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bascii\x1bc", "ascii"),
        ("cut \x1b", "cut \\x1b"),
        ("\x1b\x1b[0m[31mnested", "\\x1b[31mnested"),
        ("bell \x07 null \0", "bell \\x07 null \\x00"),
        ("right to left \u202eevil", "right to left \\u202eevil"),
        ("one\r\ntwo\rthree\u2028four\tfive", "one\ntwo\nthree\nfour\tfive"),
        ("naïve 学習 👩‍🔬 [0m", "naïve 学習 👩‍🔬 [0m"),
    ],
)
def test_colours_go_and_words_stay(text: str, plain: str) -> None:
    assert plain_text(text) == plain


@given(st.text(st.characters() | st.sampled_from("\x1b\x9b\x9d[]0;m\\\x07")))
def test_nothing_that_steers_is_left(text: str) -> None:
    plain = plain_text(text)
    assert not [char for char in plain if unicodedata.category(char) == "Cc" and char not in "\n\t"]
    assert plain_text(plain) == plain
