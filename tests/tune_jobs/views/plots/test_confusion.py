"""Confusion matrices as text and as pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tune_jobs.errors import RequestError
from tune_jobs.evaluation.reports import Classification, NoReport, Regression
from tune_jobs.views.plots.confusion import draw_reports, figure_of
from tune_jobs.views.tables.confusion import confusion_lines

LONG = [f"a class with a long name {index}" for index in range(10)]


@given(st.integers(2, 9), st.integers(0, 10**6), st.lists(st.text(max_size=40), min_size=9, max_size=9))
def test_every_count_stands_in_its_row_and_columns_line_up(classes, seed, names):
    counts = np.random.default_rng(seed).integers(0, 2000, (classes, classes))
    head, *rows = confusion_lines(Classification(tuple(names[:classes]), counts), 1000)[1:]
    assert {cell_len(row) for row in rows} == {cell_len(head)}
    assert all(row.isprintable() for row in rows)
    for row, values in zip(rows, counts.tolist(), strict=True):
        assert row.split()[-classes:] == [str(value or ".") for value in values]


def test_ten_long_names_fit_into_100_columns():
    lines = confusion_lines(Classification(tuple(LONG), np.full((10, 10), 12345)), 100)
    assert max(map(cell_len, lines)) <= 100
    assert lines[-1].startswith("9 a class with a long na")


def test_a_matrix_that_is_too_wide_becomes_its_most_frequent_confusions():
    counts = np.diag(np.full(10, 900))
    counts[3, 5], counts[1, 0] = 7, 40
    told = confusion_lines(Classification(tuple("abcdefghij"), counts), 20)
    assert told == ["confused most, of 10 classes:", "    40  b taken for a", "     7  d taken for f"]
    perfect = Classification(tuple("abcdefghij"), np.diag(np.full(10, 900)))
    assert confusion_lines(perfect, 20)[1:] == ["  none"]


def test_a_picture_names_its_classes_and_writes_its_counts(tmp_path):
    report = Classification(tuple(LONG), np.arange(100).reshape(10, 10))
    panel = figure_of({"output": report}, "run").axes[0]
    assert [label.get_text()[:12] for label in panel.get_yticklabels()] == ["a class with"] * 10
    assert [text.get_text() for text in panel.texts] == [str(count) for count in range(100)]
    draw_reports({"output": report}, "run", tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_numbers_are_drawn_as_predicted_against_true(tmp_path):
    report = Regression(np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]]))
    panel = figure_of({"price": report}, "run").axes[0]
    assert panel.collections[0].get_offsets().tolist() == [[1, 1], [2, 3]]
    assert panel.texts[0].get_text().startswith("MAE 0.5")
    with pytest.raises(RequestError, match="nothing to draw"):
        draw_reports({"output": NoReport("why")}, "run", tmp_path / "confusion.png")
