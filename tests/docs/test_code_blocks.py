"""The README and the pages of docs/: every block of Python runs, and every command that they name exists."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import pytest

from tests.support.child_process import tune_jobs as command_line
from tests.support.docs import PAGES, TOP, Block, blocks, commands, words_of
from tune_jobs.cli.main import main
from tune_jobs.results.find import load_run

NEED_RUNS = {"README.md", "compare.md", "evaluation.md", "keras_tuner.md", "ray_tune.md", "runs.md"}
"""Pages whose blocks start Ray or read finished runs."""

PRELUDES = {
    "cluster.md": """
        import tune_jobs
        from pathlib import Path

        Path("signs.py").write_text("from tune_jobs.examples.digits_mlp import EXPERIMENT")
    """,
    "resources.md": """
        from tune_jobs import Resources
        from tune_jobs.examples.digits_mlp import EXPERIMENT

        Experiment = lambda _, **fields: EXPERIMENT.override(**fields)
    """,
}
"""What a page takes as given: run before its first block."""


def named(pages: list[Path]) -> list[Any]:
    """Return a test parameter for each page, marked integration where its blocks need runs."""
    return [
        pytest.param(page, id=page.name, marks=[pytest.mark.integration] if page.name in NEED_RUNS else [])
        for page in pages
    ]


def python_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page.read_text()) if block.language == "python"]


@pytest.fixture
def no_ray_left() -> Iterator[None]:
    """End the Ray that a page has started in this process: the next run starts its own."""
    was_started = "ray" in sys.modules and sys.modules["ray"].is_initialized()
    yield
    if not was_started and "ray" in sys.modules:
        sys.modules["ray"].shutdown()


@pytest.mark.parametrize("page", named([page for page in PAGES if python_blocks(page)]))
@pytest.mark.usefixtures("work_folder", "cluster", "no_ray_left")
def test_the_python_of_a_page_runs_in_order(page: Path) -> None:
    namespace: dict[str, Any] = {"__name__": page.stem}
    exec(dedent(PRELUDES.get(page.name, "")), namespace)  # noqa: S102 - our own page
    for block in python_blocks(page):
        lines_above = "\n" * block.line  # so that a traceback names the page's line
        code = compile(lines_above + dedent(block.body), page, "exec")
        exec(code, namespace)  # noqa: S102 - our own page


@pytest.mark.integration
def test_the_experiment_of_the_readme_is_run_by_the_command_line(tmp_path: Path) -> None:
    [wine] = [block.body for block in python_blocks(TOP / "README.md") if "EXPERIMENT" in block.body]
    (tmp_path / "wine.py").write_text(wine)
    command = ("run", "wine.py", "--trials", "3", "--max-epochs", "2", "--name", "wine", "--verbose")
    result = command_line(tmp_path, *command)
    assert result.returncode == 0, result.stderr
    assert "Ray has started after" in result.stderr
    assert len(load_run(tmp_path / "runs" / "wine").leaderboard()) == 3


def shell_problem(words: list[str]) -> str | None:
    """Return the mistake in a command that a page names, or None."""
    if words[0] == "make":
        return make_problem(words[1:])
    if words[0] == "tune-jobs":
        return cli_problem(words[1:])
    module, *arguments = words[2:]
    if module == "tune_jobs":
        return cli_problem(arguments)
    return None if find_spec(module) is not None else f"there is no module {module}"


def make_problem(words: list[str]) -> str | None:
    """Return the target of make, or the benchmark, that does not exist, or None."""
    rules = (TOP / "Makefile").read_text()
    for word in words:
        variable, equals, value = word.partition("=")
        if equals and not re.search(rf"^{variable} \?=", rules, re.MULTILINE):
            return f"the Makefile has no variable {variable}"
        if variable == "BENCH":
            missing = [name for name in value.split() if find_spec(f"benchmarks.{name}") is None]
            return f"there is no benchmark {missing[0]}" if missing else None
        if not equals and not re.search(rf"^{word}:", rules, re.MULTILINE):
            return f"the Makefile has no target {word}"
    return None


def cli_problem(words: list[str]) -> str | None:
    """Return what the command line does not know of a command, or None. Placeholders stand for any value."""
    command: click.Command = main
    context = click.Context(main, info_name="tune-jobs")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = command.get_command(context, name)
        if found is None:
            return f"there is no command {name}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    try:
        _, left_over, _ = command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        return error.format_message()
    return f"{command.name} takes no {left_over[0]}" if left_over else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    problems = {
        command: problem
        for command in commands(page.read_text())
        for words in words_of(command)
        if (problem := shell_problem(words)) is not None
    }
    assert problems == {}


def test_the_readmes_commands_are_seen() -> None:
    shown = commands((TOP / "README.md").read_text())
    for command in ("make demo", "make test", "tune-jobs run wine.py", "tune-jobs compare A B"):
        assert any(line.startswith(command) for line in shown), command


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("tune-jobs run digits_mlp --trials 3", None),
        ("tune-jobs jobs | status JOB | logs [-f] JOB  # of a cluster", None),
        ("tune-jobs submit EXPERIMENT [--follow] [the options of run]", None),
        ("tune-jobs walk digits_mlp", "there is no command walk"),
        ("tune-jobs run digits_mlp --trails 3", "No such option '--trails'"),
        ("tune-jobs leaderboard RUN RUN", "takes no RUN"),
        ("tune-jobs evaluate RUN [--trial ID | --bottom N]", "No such option '--bottom'"),
        ("make tests", "no target tests"),
        ('make bench BENCH="startup speed"', "no benchmark speed"),
        ("python -m benchmarks.speed", "no module benchmarks.speed"),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(command: str, problem: str | None) -> None:
    found = [each for words in words_of(command) if (each := shell_problem(words)) is not None]
    assert len(found) == (problem is not None)
    assert all((problem or "") in each for each in found)
