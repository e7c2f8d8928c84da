"""The log for developers: silent in plain runs, on stderr with --verbose, and without secrets."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tune_jobs.cli.main import main
from tune_jobs.cli.screen import show_log
from tune_jobs.engine.on_ray.cluster import join
from tune_jobs.engine.run_folder.object_store_mirror import Mirror
from tune_jobs.engine.run_folder.recorder import CheckpointPruner, Recorder
from tune_jobs.errors import RequestError
from tune_jobs.results import Noted

LOADED = "tune_jobs.loading.loader: Loaded the experiment EXPERIMENT of digits_mlp\n"


@pytest.mark.parametrize("words", [("--verbose", "describe", "digits_mlp"), ("describe", "digits_mlp", "-v")])
def test_verbose_shows_the_log_on_stderr(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert result.stderr.endswith(LOADED)
    assert "Loaded the experiment" not in result.stdout


def test_verbose_twice_shows_each_line_once() -> None:
    assert CliRunner().invoke(main, ["-v", "describe", "digits_mlp", "-v"]).stderr.count("Loaded") == 1


def test_a_command_without_it_says_nothing_also_after_one_with_it() -> None:
    CliRunner().invoke(main, ["describe", "digits_mlp", "-v"])
    assert CliRunner().invoke(main, ["describe", "digits_mlp"]).stderr == ""
    assert logging.getLogger("tune_jobs").level == logging.NOTSET
    assert [type(handler) for handler in logging.getLogger("tune_jobs").handlers] == [logging.NullHandler]


def test_a_warning_is_not_printed_where_nobody_listens() -> None:
    program = "import logging, tune_jobs; logging.getLogger('tune_jobs.engine').warning('ray')"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert child.stderr == ""


def test_a_line_cannot_steer_the_terminal() -> None:
    @click.command()
    @click.pass_context
    def command(ctx: click.Context) -> None:
        show_log(ctx)
        logging.getLogger("tune_jobs.cli").info("evil \x1b[2J\nline")

    assert "evil \\x1b[2J\\nline\n" in CliRunner().invoke(command).stderr


def test_the_log_stays_on_stderr_while_a_run_redirects_it(tmp_path: Path) -> None:
    program = """
import click, logging, os, sys
from pathlib import Path
from tune_jobs.cli.screen import show_log
from tune_jobs.host.output import redirect_output
with click.Context(click.Command("run")) as ctx:
    show_log(ctx)
    with redirect_output(Path(sys.argv[1])):
        print("noise", file=sys.stderr)
        logging.getLogger("tune_jobs.engine").info("decision")
"""
    command = [sys.executable, "-c", program, str(tmp_path / "ray.log")]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    assert child.stderr.endswith("tune_jobs.engine: decision\n")
    assert (tmp_path / "ray.log").read_text() == "noise\n"


def test_a_note_of_the_journal_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder(tmp_path, None, SilentPruner())
    with caplog.at_level(logging.INFO, "tune_jobs"):
        recorder.event(Noted(time_s=1.0, trial=3, text="worker died (retry 1 of 3)"))
        recorder.event(Noted(time_s=2.0, trial=None, text="a node came"))
    recorder.close()
    assert caplog.messages == ["trial 3: worker died (retry 1 of 3)", "a node came"]


class SilentPruner(CheckpointPruner):
    def __init__(self) -> None: ...

    def event(self, event: object) -> None: ...

    def end(self) -> None: ...


def test_no_credentials_of_an_object_store_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Bucket:
        """A bucket that takes everything, and whose name hides its credentials as the real one does."""

        def __init__(self) -> None:
            from trainables.storage.object_store import ObjectStoreFolder

            self.real = ObjectStoreFolder("s3://KEY:SECRET@bucket/runs?endpoint_override=host:9000", "first")

        def __str__(self) -> str:
            return str(self.real)

        def send(self, name: str, path: Path) -> int:
            return path.stat().st_size

    class AlwaysLeased:
        def renew(self) -> None: ...

    (tmp_path / "journal.jsonl").write_text("{}\n")
    mirror = Mirror(tmp_path, Bucket(), AlwaysLeased())  # type: ignore[arg-type]
    with caplog.at_level(logging.DEBUG, "tune_jobs"):
        mirror.round()
    [line] = caplog.messages
    assert line.startswith("Sent journal.jsonl (3 bytes) to s3://bucket/runs")
    assert "SECRET" not in line
    assert "KEY" not in line


def test_variables_for_workers_are_logged_by_name_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import ray

    def refuse(**_: object) -> None:
        raise ConnectionError("no")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.setenv("MNIST_HOME", "/secret/place")
    with caplog.at_level(logging.INFO, "tune_jobs"), pytest.raises(RequestError):
        join("auto")
    assert "Joining the Ray cluster at auto" in caplog.text
    assert "/secret/place" not in caplog.text
    assert os.environ["MNIST_HOME"] == "/secret/place"
