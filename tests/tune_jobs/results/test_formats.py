"""The leaderboard as CSV, JSON, Markdown and Parquet."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.result_strategies import AMOUNTS, TEXTS, VALUES, Trial, accuracy, events_of, property_settings
from tune_jobs.results import Status, fold
from tune_jobs.results.formats import to_csv, to_json, to_markdown, to_parquet, to_text
from tune_jobs.results.leaderboard import Column, leaderboard

PARAMETERS = [
    Column("units", "units", (), "int"),
    Column("lr", "lr", (), "float"),
    Column("augment", "augment", (), "bool"),
    Column("optimizer", "optimizer", (), "str"),
    Column("mixed", "mixed", (), "json"),
]
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "units": st.integers(-(2**63), 2**63 - 1),
        "lr": AMOUNTS,
        "augment": st.booleans(),
        "optimizer": TEXTS,
        "mixed": VALUES,
    },
)
METRICS = st.fixed_dictionaries({"val_accuracy": st.floats()}, optional={"loss": st.floats()})
TRIALS = st.builds(
    Trial,
    number=st.integers(0, 100),
    config=CONFIGS,
    epochs=st.lists(METRICS, max_size=3),
    status=st.sampled_from(Status),
    error=st.none() | TEXTS,
)


def frame_of(trials: Sequence[Trial]) -> pd.DataFrame:
    return leaderboard(fold(events_of(trials)), accuracy(), PARAMETERS)


FRAMES = st.lists(TRIALS, unique_by=lambda trial: trial.number, max_size=4).map(frame_of)


def as_text(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.map(lambda value: pd.NA if value is pd.NA else json.dumps(value, ensure_ascii=False))


@property_settings
@given(FRAMES)
def test_parquet_gives_typed_columns_back(frame: pd.DataFrame) -> None:
    read = pd.read_parquet(io.BytesIO(to_parquet(frame)))
    expected = frame.assign(mixed=as_text(frame["mixed"]).astype("string"))
    pd.testing.assert_frame_equal(read, expected)


@property_settings
@given(FRAMES)
def test_csv_reads_back(frame: pd.DataFrame) -> None:
    texts = ["status", "optimizer", "mixed", "node", "error"]
    dtypes = frame.dtypes.to_dict() | dict.fromkeys(texts, "string")
    read = pd.read_csv(io.StringIO(to_csv(frame)), dtype=dtypes, na_values=[""], keep_default_na=False)
    expected = frame.assign(mixed=as_text(frame["mixed"]).astype("string"))
    for name in texts:  # CSV has no empty texts, and one kind of line break
        lines = expected[name].str.replace("\r\n", "\n").str.replace("\r", "\n")
        numbers = frame[name].map(lambda value: type(value) in (int, float)).astype(bool)
        disarmed = lines.str.replace(r"^( *[=+\-@\t\n])", r"'\1", regex=True)
        expected[name] = lines.where(numbers, disarmed).replace("", pd.NA)
    pd.testing.assert_frame_equal(read, expected, rtol=1e-12)


@property_settings
@given(FRAMES)
def test_json_is_standard_and_keeps_types(frame: pd.DataFrame) -> None:
    rows = json.loads(to_json(frame), parse_constant=pytest.fail)
    assert len(rows) == len(frame)
    for row, (_, expected) in zip(rows, frame.astype(object).iterrows(), strict=True):
        assert list(row) == list(frame.columns)
        for name, value in expected.items():
            missing = value is pd.NA
            infinite = isinstance(value, float) and math.isinf(value)
            assert repr(row[name]) == repr(None if missing else str(value) if infinite else value)


@property_settings
@given(FRAMES)
def test_markdown_has_a_line_a_row_and_as_many_cells_everywhere(frame: pd.DataFrame) -> None:
    lines = to_markdown(frame).split("\n")
    assert len(lines) == len(frame) + 3
    assert lines.pop() == ""
    for text in lines:
        assert len(text.splitlines()) == 1
        bare = text.replace("\\\\", "").replace("\\|", "")
        assert bare.count("|") == len(frame.columns) + 1
        assert "<" not in text


def test_markdown_escapes_what_would_break_it_and_aligns_numbers() -> None:
    frame = pd.DataFrame({"a|b": ["<b>\\|\nx"], "n": [0.123456789], "k": pd.array([None], dtype="Int64")})
    assert to_markdown(frame) == ("| a\\|b | n | k |\n| --- | ---: | ---: |\n| &lt;b&gt;\\\\\\| x | 0.123457 |  |\n")


def test_none_is_the_text_null_and_an_inactive_parameter_is_missing() -> None:
    frame = pd.DataFrame({"x": pd.Series([None, pd.NA, "null"], dtype=object)})
    assert pd.read_parquet(io.BytesIO(to_parquet(frame)))["x"].tolist() == ["null", pd.NA, '"null"']
    assert to_csv(frame) == 'x\nnull\n""\n"""null"""\n'
    assert json.loads(to_json(frame)) == [{"x": None}, {"x": None}, {"x": "null"}]


def test_a_lone_carriage_return_does_not_split_a_row_of_csv() -> None:
    frame = pd.DataFrame({"a\rb": pd.array(["x\ry"], dtype="string"), "n": [1]})
    assert pd.read_csv(io.StringIO(to_csv(frame))).shape == (1, 2)


@pytest.mark.parametrize("write", [to_csv, to_json, to_markdown])
def test_a_format_can_be_named(write: Callable[[pd.DataFrame], str]) -> None:
    frame = frame_of([])
    assert to_text(frame, write.__name__.removeprefix("to_")) == write(frame)


def test_an_unknown_format_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ValueError, match="'xml', but must be one of csv, json, markdown"):
        to_text(frame_of([]), "xml")


FORMULAS = ("=1+1", "+1", "-1", "@sum(A1)", "\t=1", "\r=1", "\n=1", "  =1", "-")
PLAIN = ("relu", "1=1", "'=1", "a\t=1", "", "0.5")


def test_no_text_of_a_csv_is_a_formula() -> None:
    texts = [*FORMULAS, *PLAIN]
    frame = pd.DataFrame(
        {
            "=name": pd.Series(texts, dtype="string"),
            "mixed": pd.Series([-1, -0.5, "=1", None, [-1], True, *texts[6:]], dtype=object),
            "number": pd.Series([-float(index) for index in range(len(texts))], dtype="Float64"),
        }
    )
    read = pd.read_csv(io.StringIO(to_csv(frame)), dtype="string", na_values=[""], keep_default_na=False)
    assert list(read.columns) == ["'=name", "mixed", "number"]
    expected = [f"'{text}".replace("\r", "\n") for text in FORMULAS] + list(PLAIN)
    assert read["'=name"].fillna("").tolist() == expected
    assert read["mixed"].tolist()[:6] == ["-1", "-0.5", '"=1"', "null", "[-1]", "true"]
    assert not any(text.startswith(("=", "+", "@", "\t")) for text in read["mixed"])
    assert read["number"].astype(float).tolist() == frame["number"].tolist()
