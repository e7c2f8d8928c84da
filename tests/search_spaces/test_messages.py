"""The wording of a mistake."""

from __future__ import annotations

import pytest

from search_spaces.messages import did_you_mean


@pytest.mark.parametrize(
    ("known", "remedy"),
    [
        (["rate", "units"], "you may have meant `rate`"),
        (["units", "layers"], "there is `units`, `layers`"),
        ([], "there is none"),
        ([f"p{index}" for index in range(300)], "there is `p0`, `p1`"),
    ],
)
def test_an_unknown_name_is_answered_with_what_there_is(known: list[str], remedy: str) -> None:
    assert did_you_mean("rates", known).startswith(remedy)


def test_a_long_list_of_names_is_cut_and_counted() -> None:
    remedy = did_you_mean("rates", (f"p{index}" for index in range(300)))
    assert remedy.endswith("`p19` and 280 more")
    assert len(remedy) < 200
