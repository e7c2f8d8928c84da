"""The package's own declaration: version, bounds of what it needs, and types for its users."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest

import tune_jobs

PACKAGES = ("search_spaces", "trainables", "tune_jobs")
WITH_PRIVATE_NAMES = ("ray", "keras", "tensorflow", "hyperopt")
"""The packages whose private names are used: a release of theirs may rename one."""


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())


def test_the_version_stands_in_one_place(declared: dict[str, Any]) -> None:
    assert metadata.version("tune-jobs") == declared["project"]["version"]
    assert tune_jobs.__version__ == declared["project"]["version"]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_installed_with_its_types(package: str, declared: dict[str, Any]) -> None:
    assert (resources.files(package) / "py.typed").is_file()
    assert declared["tool"]["setuptools"]["package-data"][package] == ["py.typed"]


def test_whatever_has_private_names_that_are_used_has_bounds(declared: dict[str, Any]) -> None:
    project = declared["project"]
    requirements = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    named = {re.split(r"[\[<>=]", line)[0]: line for line in requirements}
    assert set(WITH_PRIVATE_NAMES) <= named.keys()
    for line in requirements:
        if re.split(r"[\[<>=]", line)[0] in WITH_PRIVATE_NAMES:
            assert re.fullmatch(r".*>=[\d.]+,<[\d.]+", line), f"{line} has no upper bound"
