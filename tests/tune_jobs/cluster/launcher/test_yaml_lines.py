"""YAML with lines."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import with_examples
from tune_jobs.cluster.launcher.yaml_lines import parse
from tune_jobs.errors import RequestError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [2\n", r"x, line 3, column 1: .*\(while parsing a flow sequence, line 2\)\."),
        ("a:\n\t- 1\n", r"x, line 2, column 1: .* YAML is indented with spaces, never with tabs\."),
        ("a: 1\na: 2\n", r"x, line 2: the key `a` is given twice, first in line 1; only the last would count"),
        ("b:\n  on: 1\n", r'x, line 2: the key on is bool to YAML, but must be text: write "on"\.'),
        ("3: 1\n", r'x, line 1: the key 3 is int to YAML, but must be text: write "3"\.'),
        ("[a]: 1\n", "x, line 1"),
        ("a: 1\n---\nb: 2\n", r"kubectl reads several documents \(---\); here must be one"),
        ("a: !!python/object/apply:os.system [ls]\n", "Only plain values are read: no Python objects"),
        ("a: 2026-99-99\n", "x is not YAML: month must be in"),
        ("a: \x01\n", "x is not YAML: unacceptable character"),
        ("", "x is empty"),
        ("# nothing\n", "x is empty"),
        ("a: &a [*a]\n", "simplify it"),
        ("a: " + "[" * 60 + "]" * 60, "simplify it"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
                for before, after in zip("abcdef", "bcdefg", strict=True)
            ),
            "simplify it",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        parse(text, "x")


def test_a_line_is_that_of_the_entry_or_of_what_is_around_it() -> None:
    document = parse("a:\n  b:\n    - 1\n    - c: 2\n", "x")
    assert document.line(("a", "b", "1", "c")) == "x, line 4"
    assert document.line(("a", "b", "none")) == "x, line 2"
    assert document.line(()) == "x"


def test_a_merged_entry_has_the_line_that_it_comes_from() -> None:
    document = parse("a: &a\n  b: 1\nc:\n  <<: *a\n", "x")
    assert document.value["c"] == {"b": 1}
    assert document.line(("c", "b")) == "x, line 2"


def test_a_marker_is_found_outside_comments() -> None:
    assert parse("a: X # X\n# X\nb: X\n", "x").lines_with("X") == ["x, line 1", "x, line 3"]


KEYS = st.sampled_from(["ka", "kb", "kc"])
LEAVES = st.integers() | KEYS
INNER = st.lists(LEAVES, max_size=2) | st.dictionaries(KEYS, LEAVES)
TREES = LEAVES | st.lists(INNER, max_size=2) | st.dictionaries(KEYS, INNER)


@with_examples(40)
@given(st.dictionaries(KEYS, TREES, min_size=1))
def test_everything_has_a_line_and_keeps_its_value(tree: dict[str, Any]) -> None:
    text = yaml.safe_dump(tree)
    document = parse(text, "x")
    assert document.value == tree
    for path, line in document.line_numbers.items():
        if not path[-1].isdigit():
            assert path[-1] in text.splitlines()[line - 1]
