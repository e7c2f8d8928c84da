"""Every public name has an example in its docstring, and every example does what it shows."""

from __future__ import annotations

import doctest
import inspect
import io
from importlib import import_module
from pathlib import Path

import pytest

PACKAGES = ("search_spaces", "trainables", "tune_jobs")
NEED_RUNS = {
    "compare",
    "cv_results",
    "evaluate",
    "export",
    "export_study",
    "find_runs",
    "found_schedule",
    "importance",
    "load_run",
    "refit",
    "resume",
    "resume_repeats",
    "run",
    "run_repeats",
    "Run",
    "sweep_path",
    "warm",
}
"""Names whose examples read finished runs or start Ray."""

NEED_A_CLUSTER = {"Job", "find_job", "submit"}
"""Names whose examples speak to a Jobs server at ``http://head:8265``."""


def public_names() -> list[object]:
    """Return a test parameter for each public name: its package and the name, with the marks that it needs."""
    parameters = []
    for package in PACKAGES:
        for name in import_module(package).__all__:
            marks = []
            if name in NEED_RUNS:
                marks.append(pytest.mark.integration)
            parameters.append(pytest.param(package, name, marks=marks, id=f"{package}.{name}"))
    return parameters


@pytest.mark.parametrize(("package", "name"), public_names())
@pytest.mark.usefixtures("work_folder", "cluster")
def test_the_example_of_a_public_name_does_what_it_shows(package: str, name: str) -> None:
    value = getattr(import_module(package), name)
    tests = doctest.DocTestFinder(exclude_empty=True).find(value, f"{package}.{name}", globs={})
    own = next((test for test in tests if test.name == f"{package}.{name}"), None)
    assert "Example:" in (inspect.getdoc(value) or ""), f"{package}.{name} has no section `Example:` in its docstring."
    assert own is not None
    assert own.examples, f"The example of {package}.{name} has no line that begins with >>>."
    for test in tests:  # the class's own example, and those of its methods
        output = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        assert runner.run(test, out=output.write).failed == 0, output.getvalue()


def test_the_lists_of_this_module_name_public_names() -> None:
    public = {name for package in PACKAGES for name in import_module(package).__all__}
    assert public >= NEED_RUNS | NEED_A_CLUSTER


def test_an_example_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", str(tmp_path), 0)
    assert doctest.DocTestRunner().run(test, out=lambda _: None).failed == 1
