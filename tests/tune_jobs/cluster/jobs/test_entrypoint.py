"""The command that the head runs is the one that was options for here."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tune_jobs.cli.commands.run import run
from tune_jobs.cli.run_options import run_options
from tune_jobs.cluster.jobs.entrypoint import command_line, flag, flags, quoted, runtime_env


def test_every_option_of_a_run_is_typed_as_click_declares_it() -> None:
    command = click.command()(run_options(lambda **_: None))
    assert {option.name: flag(option.name) for option in command.params} == {
        option.name: option.opts[0] for option in command.params
    }


def test_run_reads_the_command_line_as_it_was_requested() -> None:
    options = {"name": "first", "trials": 7, "gpus": 0.25, "max_concurrent_trials": 3, "seed": None, "keep": "all"}
    line = command_line("tune_jobs", "run", "my lab/signs.py:A", *flags({**options, "warm_start": ("a", "b")}))
    assert line.startswith("exec python -m tune_jobs run 'my lab/signs.py:A' --name first ")
    read = run.make_context("run", shlex.split(line)[5:]).params
    assert {name: read[name] for name in options} == {**options, "gpus": read["gpus"]}
    assert float(read["gpus"]) == 0.25
    assert read["experiment"] == "my lab/signs.py:A"
    assert tuple(read["warm_start"]) == ("a", "b")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
def test_no_argument_means_anything_to_the_shell(argument: str) -> None:
    word = quoted(argument)
    if argument.startswith("~/"):
        assert word.startswith('"$HOME"/')
        word = word.removeprefix('"$HOME"/')
        argument = argument.removeprefix("~/")
    assert shlex.split(word) == [argument]


def test_a_home_is_that_of_the_head() -> None:
    line = f"printf %s {quoted('~/my runs;$(x)')}"
    output = subprocess.check_output(["/bin/sh", "-c", line], env={"HOME": "/home/head"}, text=True)
    assert output == "/home/head/my runs;$(x)"


def test_the_job_gets_what_steers_the_frameworks_and_time_to_stop(tmp_path: Path) -> None:
    here = {
        "KERAS_BACKEND": "jax",
        "KERAS_HOME": "/here",
        "TF_X": "1",
        "XLA_FLAGS": "2",
        "JAX_X": "3",
        "PATH": "/bin",
        "RAY_AUTH_TOKEN": "secret",
        "TF_VAR_password": "secret",
        "TF_TOKEN_app_terraform_io": "secret",
    }
    prepared = runtime_env(tmp_path, ["numpy"], here)
    passed_on = {"KERAS_BACKEND": "jax", "TF_X": "1", "XLA_FLAGS": "2", "JAX_X": "3"}
    assert prepared["env_vars"] == {**passed_on, "RAY_JOB_STOP_WAIT_TIME_S": "60"}
    assert prepared["working_dir"] == str(tmp_path)
    assert ".git" in prepared["excludes"]
    assert prepared["pip"] == ["numpy"]


def test_nothing_is_prepared_without_a_request() -> None:
    assert set(runtime_env(None, [], {})) == {"env_vars"}


@pytest.mark.parametrize(
    ("value", "typed"), [(None, []), ((), []), (0, ["--trials", "0"]), ((1, 2), ["--trials", "1"])]
)
def test_an_option_without_a_value_is_not_typed(value: Any, typed: list[str]) -> None:
    assert flags({"trials": value})[:2] == typed
