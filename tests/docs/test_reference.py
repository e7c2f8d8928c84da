"""The reference has every public name, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("package", ["search_spaces", "trainables", "tune_jobs"])
def test_a_reference_page_lists_each_public_name_once(package: str) -> None:
    page = (REFERENCE / f"{package}.md").read_text()
    listed = Counter(re.findall(rf"^\.\. auto\w+:: {package}\.(\w+)$", page, re.MULTILINE))
    assert listed == Counter(import_module(package).__all__)
