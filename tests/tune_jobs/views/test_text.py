"""Values as text that is safe to print."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tune_jobs.base.words import quantity
from tune_jobs.views.text import clean, config_text, cut, duration, number, score


@given(st.text())
def test_clean_text_cannot_steer_a_terminal(text):
    assert clean(text).isprintable()


@given(st.text().filter(str.isprintable))
def test_clean_keeps_what_is_printable(text):
    assert clean(text) == text


def test_clean_spells_control_characters_out():
    assert clean("\x1b[2J\r\u202e\ud800") == r"\x1b[2J\r\u202e\ud800"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (0.30000000000000004, "0.3"),
        (0.0123456, "0.01235"),
        (1e-7, "1e-07"),
        (123456.7, "123457"),
        (64, "64"),
        (True, "True"),
        (math.nan, "nan"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.95, "0.9500"), (1.0, "1.000"), (None, "-"), (math.inf, "inf"), (0.0, "0"), (1234.5, "1234")],
)
def test_score(value, text):
    assert score(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.6, "1m 00s"), (65, "1m 05s"), (3600, "1h 00m"), (100_000, "1d 03h"), (-5, "0s")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_quantity():
    assert [quantity(1, "trial"), quantity(1000, "trial"), quantity(0.5, "GPU")] == [
        "1 trial",
        "1,000 trials",
        "0.5 GPUs",
    ]


def test_cut_counts_columns_not_characters():
    assert cut("日本語日本語", 7) == "日本語…"


def test_config_is_one_safe_line():
    config = {"lr": 0.0031234567, "units": [64, 32], "kind": "a\nb\x1b", "none": None}
    assert config_text(config) == r"lr=0.003123, units=[64, 32], kind=a\nb\x1b, none=None"
