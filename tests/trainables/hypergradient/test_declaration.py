"""What is declared, and all that is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from trainables import Hypergradient, InvalidTrainable


def test_the_learning_rate_is_adjusted_by_default() -> None:
    assert Hypergradient().rates == ("learning_rate",)
    assert Hypergradient(learning_rate=False, l2=True, weight_decay=True).rates == ("weight_decay", "l2")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"learning_rate": 0.1}, "`learning_rate` is 0.1, but must be True or False"),
        ({"learning_rate": False}, "Nothing is adjusted"),
        ({"on": "test"}, "`on` is 'test'"),
        ({"on": 1.5}, "`on` is 1.5"),
        ({"every": 0}, "`every` is 0"),
        ({"examples": True}, "`examples` is True"),
        ({"step": float("nan")}, "`step` is nan"),
        ({"limits": (1, 0.1)}, "`limits` is (1, 0.1)"),
    ],
)
def test_a_wrong_value_is_named_with_its_rule(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidTrainable) as caught:
        Hypergradient(**values)
    assert words in str(caught.value)


def test_all_mistakes_are_listed() -> None:
    with pytest.raises(InvalidTrainable, match=r"(?s)every.*step"):
        Hypergradient(every=-1, step=2)
