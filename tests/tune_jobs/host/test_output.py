"""Output goes into a log for a while, whatever stands in place of stdout; afterwards all is as it was."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.surroundings import Console
from tune_jobs.errors import RequestError
from tune_jobs.host.output import StandIn, drop_native_stderr, redirect_output


class Closed(io.StringIO):
    """A stream that was closed, as that of a window that is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.close()


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    own = logging.getLogger("tests.output")
    yield own
    own.handlers.clear()


@pytest.mark.parametrize("stream", [Console(), None, io.StringIO(), Closed()])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_any_stream_is_replaced_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: Any, name: str
) -> None:
    monkeypatch.setattr(sys, name, stream)
    with redirect_output(tmp_path / "logs" / "ray.log"):
        print("from Python", file=getattr(sys, name))
        os.write(1, b"from below\n")
        os.write(2, b"and from there\n")
        assert not getattr(sys, name).isatty()
    assert getattr(sys, name) is stream
    assert (tmp_path / "logs" / "ray.log").read_text() == "from Python\nfrom below\nand from there\n"
    with drop_native_stderr():
        os.write(2, b"dropped")
    assert getattr(sys, name) is stream


def test_handlers_keep_their_streams(tmp_path: Path, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    console, other = Console(), (tmp_path / "own.log").open("w")
    monkeypatch.setattr(sys, "stdout", console)
    streams = [console, other, sys.stderr, Console()]
    for stream in streams:
        logger.addHandler(logging.StreamHandler(stream))
    with redirect_output(tmp_path / "ray.log"), drop_native_stderr():
        logger.warning("said meanwhile")
    assert [handler.stream for handler in logger.handlers] == streams
    other.close()
    assert (tmp_path / "own.log").read_text() == "said meanwhile\n"


def test_handlers_of_libraries_write_into_the_log_where_no_descriptor_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console()
    monkeypatch.setattr(sys, "stderr", console)
    handler = logging.StreamHandler()
    logging.getLogger("ray").addHandler(handler)
    with redirect_output(tmp_path / "ray.log"):
        logging.getLogger("ray").warning("noise")
    logging.getLogger("ray").removeHandler(handler)
    assert "noise" in (tmp_path / "ray.log").read_text()
    assert (handler.stream, console.texts) == (console, [])


def test_what_was_made_meanwhile_writes_to_the_real_stream_afterwards(
    tmp_path: Path, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console()
    monkeypatch.setattr(sys, "stderr", console)
    with redirect_output(tmp_path / "ray.log"):
        logger.addHandler(logging.StreamHandler())
        logger.warning("within")
        kept = sys.stderr
    logger.warning("after")
    kept.flush()
    assert isinstance(kept, StandIn)
    assert "".join(console.texts) == "after\n"
    assert (tmp_path / "ray.log").read_text() == "within\n"


def test_descriptors_that_are_closed_stay_closed(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib\nfrom tune_jobs.host.output import drop_native_stderr, redirect_output\n"
        "log = pathlib.Path(sys.argv[1])\n"
        "with redirect_output(log):\n    os.write(1, b'one\\n'); os.write(2, b'two\\n'); print('three')\n"
        "with drop_native_stderr():\n    pass\n"
        "try:\n    os.fstat(1)\nexcept OSError:\n    log.with_name('closed').touch()"
    )
    command = f'exec "{sys.executable}" -c "$0" "$1" >&- 2>&-'
    subprocess.run(["/bin/sh", "-c", command, code, tmp_path / "log"], check=True)
    assert sorted((tmp_path / "log").read_text().split()) == ["one", "three", "two"]
    assert (tmp_path / "closed").exists()


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "ray.log").symlink_to("precious")
    with pytest.raises(RequestError, match="it is a link, to precious"), redirect_output(tmp_path / "ray.log"):
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_folder_of_logs_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "logs").symlink_to("precious")
    with pytest.raises(RequestError, match="it is a link, to precious"), redirect_output(tmp_path / "logs" / "ray.log"):
        pass
    assert list((tmp_path / "precious").iterdir()) == []
