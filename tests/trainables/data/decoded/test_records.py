"""Files of records: parsed once into mapped arrays, in the structure that the parsing function returns."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables import Data, InvalidData, record_files

calls: list[str] = []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    calls.clear()
    for number in range(3):
        lines = [f"{10 * number + row},word{'s' * number},{row % 2}" for row in range(4)]
        (tmp_path / f"{number}.csv").write_text("\n".join(lines))
    return tmp_path


def table(path: Path) -> list[list[str]]:
    calls.append(path.name)
    return [line.split(",") for line in path.read_text().splitlines()]


def parse(path: Path) -> Any:
    numbers, words, labels = zip(*table(path), strict=True)
    x = {"number": np.array(numbers, np.int16), "word": np.array(words)}
    return x, np.array(labels, np.uint8)


def one_by_one(path: Path) -> Iterator[Any]:
    for number, _, label in table(path):
        yield np.array([float(number)], "float32"), int(label)


def test_the_records_of_all_files_in_the_structure_of_one(folder: Path) -> None:
    x, y = record_files(f"{folder}/*.csv", parse)
    assert x["number"].tolist() == [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]
    assert x["word"].tolist() == ["word"] * 4 + ["words"] * 4 + ["wordss"] * 4
    assert (x["number"].dtype, y.dtype) == (np.int16, np.uint8)
    assert isinstance(x["number"], np.memmap)
    assert Data(train=(x, y)).examples == {"train": 12}


def test_they_are_parsed_once(folder: Path) -> None:
    files = sorted(folder.glob("*.csv"))
    first = record_files(files, parse)
    again = record_files(files, parse)
    assert len(calls) == 3
    np.testing.assert_array_equal(first[0]["word"], again[0]["word"])
    record_files(files, parse, version=2)
    assert len(calls) == 6
    files[0].write_text("7,w,1")
    x, _ = record_files(files, parse)
    assert x["number"][0] == 7


def test_a_generator_yields_records(folder: Path) -> None:
    x, y = record_files(f"{folder}/*.csv", one_by_one)
    assert (x.shape, x.dtype, y.shape) == ((12, 1), np.float32, (12,))


def scaled(path: Path, factor: int) -> Any:
    return np.array([[factor * float(row[0])] for row in table(path)]), np.zeros(4)


def test_a_function_with_other_values_is_another_one(folder: Path) -> None:
    one, _ = record_files(f"{folder}/*.csv", partial(scaled, factor=1))
    two, _ = record_files(f"{folder}/*.csv", partial(scaled, factor=2))
    np.testing.assert_array_equal(2 * one, two)


class Parser:
    def __new__(cls, path: Path) -> Any:
        return parse(path)


def test_a_class_whose_module_names_a_device_as_its_file_parses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "endless.py").symlink_to("/dev/zero")
    monkeypatch.setattr(sys.modules[__name__], "__file__", str(folder / "endless.py"))
    x, _ = record_files(f"{folder}/*.csv", Parser)
    assert len(x["number"]) == 12


def test_all_files_that_cannot_be_parsed_are_named(folder: Path) -> None:
    (folder / "0.csv").write_text("x,y")
    (folder / "2.csv").write_text("")
    with pytest.raises(InvalidData) as caught:
        record_files(f"{folder}/*.csv", parse)
    assert len(caught.value.problems) == 2
    assert [name for name in ("0.csv", "1.csv", "2.csv") if name in str(caught.value)] == ["0.csv", "2.csv"]


def wider(path: Path) -> Any:
    rows = len(table(path))
    return np.zeros((rows, 2 if path.name == "1.csv" else 1)), np.zeros(rows)


def labels_missing(path: Path) -> Any:
    return (np.zeros(len(table(path))),)


def uneven(path: Path) -> Any:
    return np.zeros(3), np.zeros(len(table(path)))


@pytest.mark.parametrize(
    ("function", "words"), [(wider, "equal ones"), (labels_missing, "1 parts"), (uneven, "3, 4 records")]
)
def test_what_does_not_fit_together_is_told(folder: Path, function: Any, words: str) -> None:
    with pytest.raises(InvalidData, match=words):
        record_files(f"{folder}/*.csv", function)


def test_no_files_and_missing_ones(folder: Path) -> None:
    with pytest.raises(InvalidData, match="No file matches"):
        record_files(f"{folder}/*.json", parse)
    with pytest.raises(InvalidData, match="does not exist"):
        record_files([folder / "9.csv"], parse)
