"""A leaderboard in a file."""

from pathlib import Path

import pandas as pd
import pytest

from tune_jobs.errors import RequestError
from tune_jobs.views.tables.export import export, format_for, safe

STATUS = pd.array(["ü", "b"], dtype="string")
FRAME = pd.DataFrame({"rank": [1, 2], "trial": [0, 1], "status": STATUS, "acc": [0.5, 0.25]})


@pytest.mark.parametrize(
    ("named", "output", "expected"),
    [
        (None, None, "table"),
        ("csv", None, "csv"),
        (None, "a.JSON", "json"),
        (None, "a.md", "markdown"),
        (None, "a.parquet", "parquet"),
        ("csv", "a.dat", "csv"),
    ],
)
def test_the_format_that_is_meant(named, output, expected):
    assert format_for(named, output and Path(output)) == expected


@pytest.mark.parametrize(("named", "output"), [("parquet", None), (None, "a.xlsx"), (None, "a")])
def test_a_format_that_cannot_be_meant(named, output):
    with pytest.raises(RequestError):
        format_for(named, output and Path(output))


@pytest.mark.parametrize("format", ["table", "csv", "json", "markdown", "parquet"])
def test_a_file_is_replaced_as_a_whole(tmp_path, format):
    output = tmp_path / "board"
    output.write_text("old")
    export(FRAME, format, output)
    content = output.read_bytes()
    assert (b"PAR1" in content) == (format == "parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["board"]


def test_parquet_can_be_read(tmp_path):
    export(FRAME, "parquet", tmp_path / "board.parquet")
    read = pd.read_parquet(tmp_path / "board.parquet")
    pd.testing.assert_frame_equal(read, FRAME)


@pytest.mark.parametrize("name", ["missing/board.csv", "folder"])
def test_a_file_that_cannot_be_written(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(RequestError, match="cannot be written"):
        export(FRAME, "csv", tmp_path / name)


def test_lines_for_a_terminal():
    assert safe("a,\x1b[2J\nb\n") == "a,\\x1b[2J\nb\n"
